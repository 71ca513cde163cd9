_base_ = 'caj_synthetic.py'
model = _base_._variants.exchange.model
