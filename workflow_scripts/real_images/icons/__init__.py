"""Icon sets of npm's @iconify/json as real images: which there are, how they are drawn, which are one drawing."""
