# What docs/deploy/kubernetes.yaml runs. From the repository's root:
#   docker build -f docs/deploy/trainer.Dockerfile -t captcha-pipeline-trainer .
FROM python:3.12-slim
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir -r requirements.lock
COPY train.py command_line.py tensorflow_start.py ./
COPY configs configs
COPY data_gen data_gen
COPY records records
COPY model model
COPY report report
COPY training training
CMD ["python", "train.py", "--help"]
