# Fig. 4: nothing judges fakes.
_base_ = ['hicmd_synthetic.py', '../_base_/models/hicmd_variants.py']
model = _base_.no_adversarial_model
optim_wrapper = {key: e for key, e in _base_.optim_wrapper.items() if key != 'discriminators'}
optim_wrapper.update(_delete_=True)
default_hooks = {key: hook for key, hook in _base_.default_hooks.items() if key != 'watchdog'}
default_hooks.update(_delete_=True)
