"""VL2V-ADiP and VL2V-SD: distillation of a vision-language teacher."""
