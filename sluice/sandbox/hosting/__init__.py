"""SageMaker made honest: endpoints that take time and can fail, containers that run the real model, and their clients.

Its `..._hooks` hold the patches of moto it needs.
"""
