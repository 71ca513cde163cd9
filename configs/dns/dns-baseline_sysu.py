# Identity and circle terms alone, on the same images.
_base_ = ['dns_sysu.py', '../_base_/variants/dns.py']
model = _base_._variants.baseline.model
del _base_.default_hooks.teacher
