# docker build -t gan-framework . && docker run --rm -v "$PWD/outputs:/app/outputs" gan-framework model=dcgan
# With a GPU: docker run --gpus all ...; the wheels of torch bring their own CUDA.
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -e .
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["python", "run.py"]
CMD ["model=dcgan", "loss=nonsaturating"]
