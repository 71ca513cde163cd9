# HSME's head: features and the weights of the identities on the unit sphere. The scale is
# SphereReID's; HSME's is not known.
_hsme = dict(head=dict(type='CosineIdentityHead', scale=14.0))
