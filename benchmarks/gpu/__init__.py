"""What `benchmarks/gpu.sh` measures on one GPU: step times, waits for the device, memory, precisions, short runs."""
