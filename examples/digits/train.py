"""Trains a small network on the UCI digits that scikit-learn carries (1,797 pictures of 8 by 8, ten classes).

Run it alone, `python3 train.py --width 64`, or let `martlet sweep run sweep.yaml` try every combination.
"""

import argparse
import os

import joblib
import martlet
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains a digit classifier.")
    parser.add_argument("--width", type=int, default=64, help="neurons of a hidden layer")
    parser.add_argument("--depth", type=int, default=1, help="hidden layers")
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate of Adam")
    parser.add_argument("--alpha", type=float, default=1e-4, help="L2 regularisation")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    with martlet.init(project="digits", config=arguments()) as run, threadpool_limits(1):
        config = run.config
        pictures, digits = load_digits(return_X_y=True)
        train_x, val_x, train_y, val_y = train_test_split(
            pictures / 16, digits, test_size=0.25, stratify=digits, random_state=0
        )
        model = MLPClassifier(
            hidden_layer_sizes=[config.width] * config.depth,
            learning_rate_init=config.lr,
            alpha=config.alpha,
            batch_size=32,
            random_state=config.seed,
        )
        best = float("inf")
        for epoch in range(config.epochs):
            model.partial_fit(train_x, train_y, classes=range(10))
            scores = {}
            for part, x, y in (("train", train_x, train_y), ("val", val_x, val_y)):
                chances = model.predict_proba(x)
                scores[f"{part}/loss"] = log_loss(y, chances)
                scores[f"{part}/accuracy"] = accuracy_score(y, chances.argmax(axis=1))
            run.log(scores, step=epoch)
            if scores["val/loss"] < best:
                best = scores["val/loss"]
                joblib.dump(model, os.path.join(run.dir, "best_model.joblib"))
        print(f"best validation loss {best:.4f}, last accuracy {scores['val/accuracy']:.4f}")


if __name__ == "__main__":
    main()
