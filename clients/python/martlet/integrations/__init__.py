"""Callbacks for training libraries, a module each. Nothing is imported until one of them is.

    from martlet.integrations.lightning import MartletLogger
    from martlet.integrations.keras import MartletCallback
    from martlet.integrations.transformers import MartletCallback
    from martlet.integrations.xgboost import MartletCallback
    from martlet.integrations.lightgbm import MartletCallback
    from martlet.integrations.sklearn import log_estimator, log_search
    from martlet.integrations.torchmetrics import log_metrics

Each takes the run that is active, or begins one. As `log`, none of them raises into a training.
"""
