"""What every stage stands on: files, shards, weights, seeds, devices and the CLIP adapter; it imports no stage."""
