"""The callbacks with the libraries that they are for. One that is not installed skips its tests: `make
test-integrations` installs them all."""

import importlib.util
import unittest

from support import ClientTest


def needs(*names: str):
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


class IntegrationTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.environment.update(MARTLET_CONSOLE="off", KERAS_BACKEND="torch", CUDA_VISIBLE_DEVICES="")

    def rows(self, name):
        """Step and value of each row that has this name."""
        return [(row["step"], row["values"][name]) for row in self.server.all_rows() if name in row["values"]]

    def one(self):
        (found,) = self.server.runs.values()
        return found


class ImportTest(ClientTest):
    def test_nothing_is_imported_until_it_is_used(self):
        self.train(
            "import martlet.integrations\n"
            "for name in ('torch', 'lightning', 'keras', 'transformers', 'xgboost', 'lightgbm', 'sklearn', 'numpy'):\n"
            "  assert name not in sys.modules, name\n"
            "import martlet.integrations.lightgbm, martlet.integrations.torchmetrics\n"
            "assert 'lightgbm' not in sys.modules and 'torchmetrics' not in sys.modules\n"
        )


@needs("torch", "lightning")
class LightningTest(IntegrationTest):
    MODEL = (
        "import logging, warnings, torch\nwarnings.simplefilter('ignore')\n"
        "import lightning as L\nfrom martlet.integrations.lightning import MartletLogger\n"
        "class Model(L.LightningModule):\n"
        "  def __init__(self, width=4, token='hf_abcdefghijklmnop1'):\n"
        "    super().__init__(); self.save_hyperparameters(); self.layer = torch.nn.Linear(2, 1)\n"
        "  def forward(self, x): return self.layer(x)\n"
        "  def training_step(self, batch, i):\n"
        "    loss = self(batch[0]).square().mean(); self.log('train/loss', loss); return loss\n"
        "  def validation_step(self, batch, i): self.log('val/loss', self(batch[0]).square().mean())\n"
        "  def configure_optimizers(self): return torch.optim.SGD(self.parameters(), 0.1)\n"
        "data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), batch_size=2)\n"
        "def trainer(logger):\n"
        "  return L.Trainer(max_epochs=2, logger=logger, log_every_n_steps=1, accelerator='cpu',\n"
        "    enable_progress_bar=False, enable_model_summary=False)\n"
    )

    def test_a_training_is_a_run(self):
        self.train(
            self.MODEL + "logger = MartletLogger('p', 'mine', tags=['x'], save_checkpoints=True)\nmodel = Model()\n"
            "logger.watch(model, log='all', log_freq=4)\ntrainer(logger).fit(model, data, data)\n"
        )
        run = self.one()
        self.assertEqual((run["project"], run["name"], run["tags"]), ("p", "mine", ["x"]))
        self.assertEqual(run["config"], {"width": 4})
        self.assertEqual([step for step, _ in self.rows("train/loss")], list(range(8)))
        self.assertEqual([step for step, _ in self.rows("val/loss")], [3, 7])
        self.assertEqual(run["model"]["layers"][0]["name"], "layer")
        self.assertTrue(self.rows("gradients/layer.weight"))
        files = list(self.server.files[run["id"]])
        self.assertEqual(len(files), 1)
        self.assertTrue(files[0].endswith(".ckpt"), files)

    def test_the_active_run_is_joined_and_a_copy_of_the_logger_begins_none(self):
        self.train(
            self.MODEL + "import pickle, copy\nrun = martlet.init('q')\nlogger = MartletLogger('p')\n"
            "trainer(logger).fit(Model(), data)\nassert logger.experiment is run\n"
            "pickle.loads(pickle.dumps(logger)); copy.deepcopy(logger)\n"
        )
        self.assertEqual(self.one()["project"], "q")


@needs("torch", "keras")
class KerasTest(IntegrationTest):
    def test_epochs_batches_and_the_model(self):
        self.train(
            "import numpy as np, keras\nfrom martlet.integrations.keras import MartletCallback\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name='a'), keras.layers.Dense(1)])\n"
            "model.compile(optimizer=keras.optimizers.SGD(0.25), loss='mse', metrics=['mae'])\n"
            "x, y = np.ones((8, 3)), np.ones((8, 1))\n"
            "callback = MartletCallback(log_freq=2, project='p')\n"
            "model.fit(x, y, batch_size=2, epochs=2, validation_data=(x, y), callbacks=[callback], verbose=0)\n"
            "model.evaluate(x, y, callbacks=[callback], verbose=0)\n"
        )
        run = self.one()
        self.assertEqual([value for _, value in self.rows("epoch")], [0, 1])
        self.assertEqual(len(self.rows("val/mae")), 2)
        self.assertEqual(len(self.rows("batch/loss")), 4)
        self.assertEqual(len(self.rows("test/loss")), 1)
        self.assertEqual(self.rows("learning_rate")[0][1], 0.25)
        self.assertEqual((run["config"]["epochs"], run["config"]["optimizer"]["learning_rate"]), (2, 0.25))
        self.assertEqual(run["metrics"]["val/loss"], {"goal": "minimize"})
        self.assertEqual((run["model"]["parameters"], run["model"]["framework"]), (21, "keras"))
        self.assertEqual(run["model"]["layers"][0]["output_shape"], [None, 4])


@needs("torch", "transformers", "accelerate")
class TransformersTest(IntegrationTest):
    def test_a_trainer_is_a_run(self):
        self.train(
            "import torch\nfrom transformers import BertConfig, BertForSequenceClassification, Trainer\n"
            "from transformers import TrainingArguments\n"
            "from martlet.integrations.transformers import MartletCallback\n"
            "config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,\n"
            "  intermediate_size=8, max_position_embeddings=8)\n"
            "rows = [{'input_ids': torch.tensor([1, 2, 3]), 'labels': torch.tensor(i % 2)} for i in range(8)]\n"
            "arguments = TrainingArguments('out', max_steps=4, logging_steps=2, eval_strategy='steps', eval_steps=2,\n"
            "  save_steps=4, report_to=[], use_cpu=True, per_device_train_batch_size=2, disable_tqdm=True,\n"
            "  hub_token='hf_secretsecret1')\n"
            "Trainer(BertForSequenceClassification(config), arguments, train_dataset=rows, eval_dataset=rows,\n"
            "  callbacks=[MartletCallback(project='p', save_checkpoints=True)]).train()\n"
        )
        run = self.one()
        self.assertEqual([step for step, _ in self.rows("train/loss")], [2, 4, 4])
        self.assertEqual([step for step, _ in self.rows("eval/loss")], [2, 4])
        self.assertEqual((run["config"]["max_steps"], run["config"]["model"]["hidden_size"]), (4, 8))
        self.assertNotIn("hub_token", run["config"])
        self.assertGreater(run["model"]["parameters"], 100)
        self.assertIn("checkpoint-4/config.json", self.server.files[run["id"]])


@needs("xgboost")
class XGBoostTest(IntegrationTest):
    def test_rounds_are_rows(self):
        self.train(
            "import numpy as np, xgboost\nfrom martlet.integrations.xgboost import MartletCallback\n"
            "x = np.arange(200.0).reshape(100, 2); y = (x[:, 0] > 100).astype(int)\n"
            "data = xgboost.DMatrix(x, y)\n"
            "xgboost.train({'max_depth': 2, 'objective': 'binary:logistic', 'eval_metric': ['logloss', 'auc']}, data,\n"
            "  5, evals=[(data, 'train')], verbose_eval=False, callbacks=[MartletCallback(project='p')])\n"
            "run = martlet.run\n"
            "xgboost.cv({'objective': 'binary:logistic'}, data, 3, nfold=3, callbacks=[MartletCallback()])\n"
            "model = xgboost.XGBClassifier(n_estimators=3, callbacks=[MartletCallback()])\n"
            "model.fit(x, y, eval_set=[(x, y)], verbose=False)\n"
        )
        run = self.one()
        self.assertEqual([value for _, value in self.rows("round")], [*range(5), *range(3), *range(3)])
        self.assertEqual(len(self.rows("train/auc")), 5)
        self.assertEqual((len(self.rows("test/logloss-std")), len(self.rows("validation_0/logloss"))), (3, 3))
        self.assertEqual(run["config"]["xgboost"]["objective"], "binary:logistic")
        self.assertEqual(run["config"]["xgboost"]["max_depth"], 6)  # of the last
        self.assertEqual(run["metrics"]["train/auc"], {"goal": "maximize"})
        self.assertEqual(self.rows("importance")[0][1]["columns"], ["feature", "gain"])


@needs("lightgbm")
class LightGBMTest(IntegrationTest):
    def test_rounds_are_rows(self):
        self.train(
            "import numpy as np, lightgbm\nfrom martlet.integrations.lightgbm import MartletCallback, log_model\n"
            "x = np.arange(400.0).reshape(200, 2); y = (x[:, 0] > 200).astype(int)\n"
            "data = lightgbm.Dataset(x, y)\n"
            "other = lightgbm.Dataset(x[::2], y[::2], reference=data)\n"
            "wanted = {'objective': 'binary', 'metric': ['auc', 'binary_logloss'], 'verbose': -1}\n"
            "model = lightgbm.train(wanted, data, 20, valid_sets=[other], valid_names=['val'],\n"
            "  callbacks=[MartletCallback(project='p'), lightgbm.early_stopping(3, verbose=False)])\n"
            "log_model(model)\n"
        )
        run = self.one()
        rounds = [value for _, value in self.rows("round")]
        self.assertEqual(rounds, list(range(len(rounds))))
        self.assertEqual(len(self.rows("val/auc")), len(rounds))
        self.assertEqual(run["config"]["lightgbm"]["objective"], "binary")
        self.assertEqual(run["metrics"]["val/binary_logloss"], {"goal": "minimize"})
        self.assertGreaterEqual(run["summary"]["best_iteration"], 1)
        self.assertEqual(self.rows("importance")[0][1]["rows"][0][0], "Column_0")


@needs("sklearn")
class SklearnTest(IntegrationTest):
    def test_what_an_estimator_has_come_to(self):
        self.train(
            "import warnings\nwarnings.simplefilter('ignore')\nimport numpy as np\n"
            "from sklearn.ensemble import RandomForestClassifier\n"
            "from sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.pipeline import make_pipeline\n"
            "from sklearn.model_selection import GridSearchCV\nfrom sklearn.preprocessing import StandardScaler\n"
            "from martlet.integrations.sklearn import log_estimator, log_search\n"
            "run = martlet.init('p')\nx = np.arange(60.0).reshape(30, 2); y = np.where(x[:, 0] > 20, 'b', 'a')\n"
            "forest = RandomForestClassifier(5, random_state=1).fit(x, y)\n"
            "assert log_estimator(forest, x, y)['test/accuracy'] == 1.0\n"
            "pipeline = make_pipeline(StandardScaler(), Ridge()).fit(x, x[:, 0])\n"
            "assert log_estimator(pipeline, x, x[:, 0], prefix='ridge/')['ridge/r2'] > 0.9\n"
            "log_search(GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}, cv=3).fit(x, y))\n"
            "assert log_estimator(None, x, y) == {}\n"
        )
        run = self.one()
        self.assertEqual(run["config"]["n_estimators"], 5)
        self.assertEqual(self.rows("test/roc_auc")[0][1], 1.0)
        confusion = self.rows("test/confusion")[0][1]
        self.assertEqual((confusion["columns"], confusion["rows"]), (["truth", "a", "b"], [["a", 11, 0], ["b", 0, 19]]))
        self.assertEqual(len(self.rows("importance")[0][1]["rows"]), 2)
        candidates = self.rows("candidates")[0][1]
        self.assertEqual((candidates["columns"][0], len(candidates["rows"])), ("C", 2))
        self.assertIn(run["config"]["best_C"], (0.1, 1.0))


@needs("torch", "torchmetrics")
class TorchmetricsTest(IntegrationTest):
    def test_metrics_and_collections(self):
        self.train(
            "import torch\nfrom torchmetrics import MetricCollection\n"
            "from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix\n"
            "from torchmetrics.regression import MeanSquaredError\n"
            "from martlet.integrations.torchmetrics import log_metrics\n"
            "run = martlet.init('p')\na, b = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 2, 1])\n"
            "both = MetricCollection({'acc': MulticlassAccuracy(3), 'classes': MulticlassAccuracy(3, average='none'),\n"
            "  'matrix': MulticlassConfusionMatrix(3)})\n"
            "both.update(a, b)\nlog_metrics(both, prefix='val/', step=7, reset=True)\n"
            "error = MeanSquaredError(); error.update(a.float(), b.float())\nlog_metrics(error)\n"
        )
        run = self.one()
        (step, accuracy) = self.rows("val/acc")[0]
        self.assertEqual(step, 7)
        self.assertAlmostEqual(accuracy, 5 / 6, places=6)
        self.assertEqual([len(self.rows(f"val/classes/{i}")) for i in range(3)], [1, 1, 1])
        self.assertEqual(self.rows("val/matrix")[0][1], [[1, 0, 0], [0, 1, 1], [0, 0, 1]])
        self.assertEqual(run["metrics"]["val/acc"], {"goal": "maximize"})
        self.assertEqual(run["metrics"]["MeanSquaredError"], {"goal": "minimize"})


if __name__ == "__main__":
    unittest.main()
