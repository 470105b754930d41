"""The ground floor: files, shards, weights, seeds, devices and the CLIP adapter; it imports no stage."""
