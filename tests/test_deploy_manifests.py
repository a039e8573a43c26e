"""The manifests of docs/deploy: their form, and the TF_CONFIG that they make.

They are not run on a cluster here. The rules are those of the API that a mistake would break.
"""

import json
import os
import re
import subprocess

import pytest
import yaml
from worker_processes import ROOT

from model.estimator import strategies
from training.config import TrainConfig

DEPLOY = ROOT / "docs" / "deploy"
SBATCH = DEPLOY / "slurm.sbatch"


@pytest.fixture(scope="module")
def objects():
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    return {one["kind"]: one for one in found}


def pod(objects):
    return objects["Job"]["spec"]["template"]["spec"]


def bash(script, path="", **env):
    """What `bash -euc` prints of a script, in place of the training the TF_CONFIG it would get."""
    script = re.sub(r"exec \S*python train.py(.|\n)*", 'printf %s "$TF_CONFIG"\n', script)
    done = subprocess.run(
        ["bash", "-euc", script],
        env={"PATH": path + os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "version"),
    [("PersistentVolumeClaim", "v1"), ("Service", "v1"), ("Job", "batch/v1")],
)
def test_each_object_has_what_the_api_requires(objects, kind, version):
    assert objects[kind]["apiVersion"] == version
    assert re.fullmatch("[a-z0-9-]{1,63}", objects[kind]["metadata"]["name"])
    assert objects[kind]["spec"]


def test_every_worker_has_a_name_that_the_others_find(objects):
    service, job = objects["Service"], objects["Job"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert pod(objects)["subdomain"] == service["metadata"]["name"]
    (port,) = service["spec"]["ports"]
    assert port["port"] == pod(objects)["containers"][0]["ports"][0]["containerPort"]


def test_all_workers_run_at_once_and_come_back_after_a_preemption(objects):
    job = objects["Job"]["spec"]
    assert job["completionMode"] == "Indexed"
    (container,) = pod(objects)["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert job["completions"] == job["parallelism"] == int(env["NUM_WORKERS"])
    assert pod(objects)["restartPolicy"] == "OnFailure"
    assert job["backoffLimit"] >= 100


def test_the_volume_of_the_workers_is_the_claim_that_all_of_them_write_and_read(objects):
    (volume,) = pod(objects)["volumes"]
    claim = objects["PersistentVolumeClaim"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["spec"]["resources"]["requests"]["storage"]
    (mount,) = pod(objects)["containers"][0]["volumeMounts"]
    assert mount["name"] == volume["name"]


@pytest.mark.parametrize("index", [0, 3])
def test_a_pod_gets_the_tf_config_of_its_index(objects, index):
    (container,) = pod(objects)["containers"]
    assert container["image"]
    assert container["command"] == ["bash", "-euc"]
    (script,) = container["args"]
    text = bash(script, NUM_WORKERS="4", JOB_COMPLETION_INDEX=str(index))
    strategies._check_tf_config(text)
    job, service = (objects[kind]["metadata"]["name"] for kind in ("Job", "Service"))
    port = objects["Service"]["spec"]["ports"][0]["port"]
    hosts = [f"{job}-{number}.{service}:{port}" for number in range(4)]
    assert json.loads(text) == {
        "cluster": {"worker": hosts},
        "task": {"type": "worker", "index": index},
    }


def test_the_batch_script_is_bash_and_asks_for_a_task_a_node():
    subprocess.run(["bash", "-n", SBATCH], check=True)
    options = re.findall(r"^#SBATCH (--\S+)$", SBATCH.read_text(), re.MULTILINE)
    assert {"--nodes=4", "--ntasks-per-node=1", "--requeue"} <= set(options)


@pytest.mark.parametrize("index", [0, 2])
def test_a_task_of_slurm_gets_the_tf_config_of_its_node(tmp_path, index):
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(
        '#!/bin/bash\n[ "$*" = "show hostnames node[1-3]" ] && printf "node%d\\n" 1 2 3\n'
    )
    scontrol.chmod(0o755)
    (worker,) = re.findall(r"<<'END'\n((?:.|\n)*?)^END$", SBATCH.read_text(), re.MULTILINE)
    env = {"SLURM_JOB_NODELIST": "node[1-3]", "SLURM_NODEID": str(index)}
    text = bash(worker, path=f"{tmp_path}:", **env)
    strategies._check_tf_config(text)
    assert json.loads(text) == {
        "cluster": {"worker": ["node1:2222", "node2:2222", "node3:2222"]},
        "task": {"type": "worker", "index": index},
    }


@pytest.mark.parametrize("status", [0, 1, 143])
def test_the_batch_script_queues_itself_again_when_it_was_told_to_end(tmp_path, status):
    for name, script in (("srun", f"exit {status}"), ("scontrol", 'echo "$@"')):
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "7"}
    done = subprocess.run(["bash", SBATCH], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout == ("requeue 7\n" if status == 143 else "")


@pytest.mark.parametrize("path", [DEPLOY / "kubernetes.yaml", SBATCH], ids=lambda path: path.name)
def test_the_command_uses_flags_and_files_that_there_are(path):
    command = re.search(r"train.py(?:.*\\\n)*.*", path.read_text())[0]
    flags = dict(re.findall(r"--(\w+)=(\S+)", command))
    assert (ROOT / flags.pop("flagfile")).exists()
    assert flags.pop("strategy") == "multi_worker"
    assert flags.keys() <= TrainConfig.__dataclass_fields__.keys()
