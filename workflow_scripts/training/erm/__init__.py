"""ERM: a student under plain cross-entropy, what VL2V-ADiP has to beat."""
