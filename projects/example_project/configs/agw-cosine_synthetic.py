# AGW on the rendered data with this project's loss: everything else is inherited.
_base_ = '../../../configs/agw/agw_synthetic.py'
custom_imports = dict(imports=['projects.example_project.example_project'])
model = dict(triplet_loss=dict(_delete_=True, type='CosineTripletLoss', margin=0.3))
