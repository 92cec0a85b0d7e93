"""`run.watch`: a model's table and histograms. With PyTorch where it is installed (`make test-integrations`)."""

import copy
import importlib.util
import io
import pickle
import unittest

from support import ClientTest

HAS_TORCH = importlib.util.find_spec("torch") is not None
MODEL = (
    "import torch\nfrom torch import nn\n"
    "torch.manual_seed(1)\n"
    "class Net(nn.Module):\n"
    "  def __init__(self):\n"
    "    super().__init__()\n"
    "    self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())\n"
    "    self.head = nn.Linear(4 * 36, 10)\n"
    "    self.scale = nn.Parameter(torch.ones(()))\n"
    "    self.head.bias.requires_grad = False\n"
    "  def forward(self, x): return self.head(self.body(x)) * self.scale\n"
    "net = Net()\n"
    "optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1)\n"
    "def step():\n"
    "  optimizer.zero_grad(); net(torch.randn(2, 1, 8, 8)).square().mean().backward(); optimizer.step()\n"
)


class WithoutTorchTest(ClientTest):
    def test_what_is_no_model_is_said_and_no_more(self):
        self.serve()
        _, err = self.train(
            "run = martlet.init('p')\nrun.watch(3)\nrun.watch(object(), log='all')\nmartlet.unwatch()\n"
        )
        self.assertEqual(err.count("watch has no effect: watch takes a PyTorch module, not a"), 2)


@unittest.skipUnless(HAS_TORCH, "torch is not installed")
class TorchTest(ClientTest):
    def test_the_layers_are_told_with_their_shapes(self):
        server = self.serve()
        self.train(MODEL + "run = martlet.init('p')\nrun.watch(net, log=None)\nnet(torch.randn(2, 1, 8, 8))")
        model = server.runs["run00000"]["model"]
        self.assertEqual((model["framework"], model["parameters"], model["trainable"]), ("pytorch", 1491, 1481))
        rows = [tuple(layer.values()) for layer in model["layers"]]
        self.assertEqual(
            rows,
            [
                ("Net", "Net", 1, 1, [2, 1, 8, 8], [2, 10]),
                ("body.0", "Conv2d", 40, 40, [2, 1, 8, 8], [2, 4, 6, 6]),
                ("body.1", "ReLU", 0, 0, [2, 4, 6, 6], [2, 4, 6, 6]),
                ("body.2", "Flatten", 0, 0, [2, 4, 6, 6], [2, 144]),
                ("head", "Linear", 1450, 1440, [2, 144], [2, 10]),
            ],
        )

    def test_a_model_that_is_never_called_is_told_without_shapes(self):
        server = self.serve()
        self.train(MODEL + "run = martlet.init('p')\nrun.watch(net)")
        self.assertEqual({row["input_shape"] for row in map(dict, server.runs["run00000"]["model"]["layers"])}, {None})

    def test_gradients_and_parameters_come_with_the_steps_they_belong_to(self):
        server = self.serve()
        self.train(
            MODEL + "run = martlet.init('p')\nrun.watch(net, log='all', log_freq=3)\n"
            "for i in range(7):\n  step(); run.log({'loss': i})\n"
            "net.eval(); net(torch.randn(1, 1, 8, 8))\n"
        )
        found = {row["step"]: row["values"] for row in server.all_rows() if "loss" not in row["values"]}
        self.assertEqual(sorted(found), [0, 3, 6])
        weights = {"scale", "body.0.weight", "body.0.bias", "head.weight"}
        names = {f"gradients/{name}" for name in weights} | {f"parameters/{name}" for name in {*weights, "head.bias"}}
        for values in found.values():
            self.assertEqual(values.keys(), names)
        histogram = found[3]["parameters/head.weight"]
        self.assertEqual((histogram["_type"], sum(histogram["counts"])), ("histogram", 1440))
        self.assertEqual((len(histogram["counts"]), len(histogram["edges"])), (64, 65))
        self.assertEqual(sum(found[0]["gradients/scale"]["counts"]), 1)
        self.assertEqual([row["values"]["loss"] for row in server.all_rows() if "loss" in row["values"]], [*range(7)])

    def test_hooks_go_and_no_copy_has_any(self):
        from torch import nn

        from martlet._watch import Watch

        class Silent:
            _step = 0
            log = staticmethod(lambda values, step: None)
            _model = staticmethod(lambda model: None)

        import torch

        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
        watch = Watch(Silent(), net, "all", 1, "")
        twin, file = copy.deepcopy(net), io.BytesIO()
        pickled = pickle.loads(pickle.dumps(net))
        torch.save(net, file)
        self.assertNotIn(b"martlet", pickle.dumps(net))
        for model in (net, twin, pickled):
            model(torch.randn(2, 3)).sum().backward()
        watch.end()
        self.assertEqual([len(module._forward_hooks) for module in net.modules()], [0, 0, 0])
        self.assertTrue(all(not parameter._backward_hooks for parameter in net.parameters()))

    def test_odd_values_are_counted_as_far_as_they_can_be(self):
        import torch

        from martlet._watch import Watch

        watch = Watch.__new__(Watch)
        watch._torch = torch
        for tensor, count in (
            (torch.tensor([1.0, float("nan"), float("inf"), 2.0]), 2),
            (torch.zeros(5), 5),
            (torch.full((7,), 1e-20), 7),
            (torch.arange(10), 10),
            (torch.ones(4, dtype=torch.bfloat16), 4),
            (torch.sparse_coo_tensor([[0, 2]], [1.0, 3.0], (4,), check_invariants=True), 2),
        ):
            histogram = watch._histogram(tensor).encode(None)
            self.assertEqual(sum(histogram["counts"]), count, tensor)
        self.assertIsNone(watch._histogram(torch.tensor([float("nan")])))
        self.assertIsNone(watch._histogram(torch.zeros(0)))

    def test_what_fails_is_said_once_and_the_training_goes_on(self):
        server = self.serve()
        _, err = self.train(
            MODEL + "run = martlet.init('p')\nrun.watch(net, log_freq=1)\nstep(); run.log({'a': 1})\n"
            "def broken(*_): raise RuntimeError('out of memory')\ntorch.aminmax = broken\n"
            "for _ in range(5): step(); run.log({'a': 1})\n"
        )
        self.assertEqual(err.count("watch ends: out of memory"), 1)
        self.assertEqual(len([row for row in server.values() if "a" in row]), 6)

    def test_between_two_looks_there_is_one_hook(self):
        import torch
        from torch import nn

        from martlet._watch import Watch

        class Silent:
            _step = 0
            log = staticmethod(lambda values, step: None)
            _model = staticmethod(lambda model: None)

        net = nn.Linear(2, 2)
        Watch(Silent(), net, "all", 10**9, "")
        for _ in range(3):
            net(torch.zeros(1, 2)).sum().backward()
        self.assertEqual([len(parameter._backward_hooks or ()) for parameter in net.parameters()], [0, 0])
        self.assertEqual(len(net._forward_hooks), 1)


if __name__ == "__main__":
    unittest.main()
