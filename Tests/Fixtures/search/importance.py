"""Importances of Optuna 5.0.0 (scikit-learn's forests underneath) for a function whose points need no random numbers.

    python importance.py

Point i of axis j is the fraction of (i + 1) * sqrt(prime j). Prints, by parameter, functional ANOVA (not normalised),
PED-ANOVA over all trials, and the mean decrease in impurity. Needs optuna and scikit-learn.
"""

import math
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
PRIMES = [2, 3, 5, 7, 11]
CHOICES = ["a", "b", "c", "d"]
OFFSET = [0.0, 1.5, 0.3, 0.8]


def unit(i, j):
    x = (i + 1) * math.sqrt(PRIMES[j])
    return x - math.floor(x)


study = optuna.create_study()
dist = {
    "u": FloatDistribution(0, 1),
    "v": FloatDistribution(0, 1),
    "w": FloatDistribution(0, 1),
    "k": IntDistribution(1, 8),
    "c": CategoricalDistribution(CHOICES),
}
for i in range(400):
    u, v, w = unit(i, 0), unit(i, 1), unit(i, 2)
    k, c = 1 + int(unit(i, 3) * 8), int(unit(i, 4) * 4)
    y = 4 * (u - 0.3) ** 2 + 6 * (v - 0.5) * (w - 0.5) + 0.1 * k + OFFSET[c]
    study.add_trial(
        optuna.trial.create_trial(params={"u": u, "v": v, "w": w, "k": k, "c": CHOICES[c]}, distributions=dist, value=y)
    )
importance = optuna.importance
for name, evaluator, normalize in [
    ("fanova", importance.FanovaImportanceEvaluator(seed=0), False),
    ("ped-anova", importance.PedAnovaImportanceEvaluator(evaluate_on_local=True), True),
    ("impurity", importance.MeanDecreaseImpurityImportanceEvaluator(seed=0), True),
]:
    r = importance.get_param_importances(study, evaluator=evaluator, normalize=normalize)
    print(name, " ".join(f"{p} {r[p]:.4f}" for p in dist))
