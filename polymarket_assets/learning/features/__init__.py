"""The catalogue of features: one module a group, each feature declared once. Data only; `learning.evidence` computes them."""
