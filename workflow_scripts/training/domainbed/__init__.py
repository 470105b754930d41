"""DomainBed's protocol, which VL2V's release trains under: balanced domains, a constant rate, its augmentation."""
