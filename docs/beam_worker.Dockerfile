# What a Beam worker on another machine needs to draw captchas: no TensorFlow. From the root:
#   docker build -f docs/beam_worker.Dockerfile -t REGISTRY/captcha-beam:1 . && docker push REGISTRY/captcha-beam:1
# The Python of the image must be the launcher's, and the version of Beam that of the lock file.
FROM apache/beam_python3.11_sdk:2.77.0

WORKDIR /captcha
COPY requirements-dev.lock .
# Add the client of your store: apache-beam[gcp], [aws], [azure] or [hadoop].
RUN pip install --no-cache-dir -c requirements-dev.lock "apache-beam[gcp]" absl-py captcha \
    google-crc32c numba numpy pillow protobuf tqdm
COPY data_gen data_gen
COPY records records
# Fonts and backgrounds of your styles, at the paths that the launcher has them at.
ENV PYTHONPATH=/captcha
# Compiles the renderer once, and not in each worker.
RUN python -c "from data_gen.render import RENDERERS, warm_up; from data_gen.style import Style; \
    warm_up(Style(), RENDERERS[0])"
