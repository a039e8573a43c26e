"""The report of an evaluation: one HTML page that says how good a network is and where it fails.

`report.collector.Collector` gathers while the Estimator evaluates, `report.page.write_report`
writes the page. No server, no network, no script.
"""
