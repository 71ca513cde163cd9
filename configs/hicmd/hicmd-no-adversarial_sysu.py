# Fig. 4: nothing judges fakes.
_base_ = ['hicmd_sysu.py', '../_base_/variants/hicmd.py']
model = _base_._variants.no_adversarial.model
del _base_.optim_wrapper.discriminators, _base_.default_hooks.watchdog
