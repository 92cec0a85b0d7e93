// Sweep files of other systems: autotuner's tasks and hex's experiments.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct ForeignFormTests {
  private static let task = """
    {
      "task_name": "qwen-tuning",
      "description": "Latency of a small model",
      "deployment_mode": "docker",
      "model": {"id_or_path": "qwen", "namespace": "autotuner"},
      "base_runtime": "sglang",
      "parameters": {
        "tp-size": [1, 2],
        "mem-fraction": {"type": "continuous", "low": 0.5, "high": 0.9},
        "chunk": {"type": "integer", "low": 1, "high": 1024, "log": true},
        "policy": {"type": "choice", "values": ["lpm", "fcfs"]},
        "enable-mixed": {"type": "categorical", "values": [true, false]}
      },
      "optimization": {
        "strategy": "random", "objective": "maximize_throughput", "max_iterations": 8,
        "timeout_per_iteration": 900, "max_parallel_experiments": 3, "study_name": "s"
      },
      "benchmark": {"num_concurrency": [1, 4]}
    }
    """

  private func read(_ source: String) throws -> SweepSpecification {
    try SweepSpecification.read(source: source, filename: "task.json", command: ["bench"])
  }

  @Test func `a task is searched as it says, and what describes its servers is kept`() throws {
    let task = try read(Self.task)
    #expect(task.title == "qwen-tuning")
    #expect(task.method == "random")
    #expect(task.objectives.map(\.goal) == [.maximize])
    #expect((task.runCap, task.timeout, task.maxParallel) == (8, 900, 3))
    #expect(
      task.space.parameters.map(\.name) == ["tp-size", "mem-fraction", "chunk", "policy", "enable-mixed"])
    #expect(task.metadata["model"]?["id_or_path"] == "qwen")
    #expect(task.metadata["benchmark"] != nil)
    #expect(task.notes.contains { $0.contains("'base_runtime'") && $0.contains("describe servers") })
    #expect(task.notes.contains { $0.contains("'study_name'") })
    // Truth values are flags: there when true, not there when false.
    var point = Point(values: ["enable-mixed": true, "tp-size": 2])
    let place = RunPlace(name: "n", directory: "/d", paramsFile: "/d/p.json", environment: [:])
    #expect(task.arguments(for: point, run: place) == ["bench", "--enable-mixed", "--tp-size=2"])
    point = Point(values: ["enable-mixed": false])
    #expect(task.arguments(for: point, run: place) == ["bench"])
  }

  private static let levels = """
    {
      "task_name": "slo",
      "base_runtime": "sglang",
      "parameters": {"tp": [1, 2], "policy": ["lpm", "fcfs"]},
      "quant_config": {"gemm_dtype": ["fp8", "auto", "fp8"], "kvcache_dtype": "auto", "moe_dtype": null},
      "parallel_config": {"tp": [4, 8], "dp": [1, 2], "pp": [1], "presets": ["fast"]},
      "optimization": {"strategy": "bayesian", "objective": "minimize_latency", "n_initial_random": 7},
      "slo": {
        "latency": {"p90": {"threshold": 3, "weight": 2, "hard_fail": true}, "p50": {"threshold": 1, "weight": 0}},
        "ttft": {"threshold": 0.5}, "steepness": 0.2
      }
    }
    """

  @Test func `settings of servers are searched under the names of their blocks`() throws {
    let task = try read(Self.levels)
    #expect(
      task.space.parameters.map(\.name) == [
        "tp", "policy", "quant_config.gemm_dtype", "quant_config.kvcache_dtype", "parallel_config.dp",
        "parallel_config.pp",
      ])
    #expect(task.space.parameters[2].domain == .categorical(["fp8", "auto"]), "duplicates are no values")
    #expect(task.space.parameters[5].domain == .constant(1))
    #expect(task.notes.contains { $0.contains("'parallel_config.tp'") && $0.contains("counts") })
    #expect(task.metadata["parallel_config"] == nil && task.metadata["quant_config"] == nil)
    #expect(task.metadata["parallel_config.presets"] == ["fast"])
    #expect(task.notes.contains { $0.contains("'parallel_config.presets'") })
    let place = RunPlace(name: "n", directory: "/d", paramsFile: "/d/p.json", environment: [:])
    let point = Point(values: ["tp": 2, "parallel_config.dp": 1])
    #expect(task.arguments(for: point, run: place) == ["bench", "--tp=2", "--parallel_config.dp=1"])
  }

  @Test func `service levels are prices, and hard ones constraints`() throws {
    let task = try read(Self.levels)
    #expect(task.constraints == [OutcomeConstraint(metric: "p90_e2e_latency", most: 4.5)])
    #expect(
      task.softBounds == [
        SoftBound(OutcomeConstraint(metric: "p90_e2e_latency", most: 3), weight: 2, steepness: 0.2),
        SoftBound(OutcomeConstraint(metric: "mean_ttft", most: 0.5), weight: 1, steepness: 0.2),
      ])
    #expect(task.notes.contains { $0.contains("'slo'") && $0.contains("'mean_ttft'") })
    #expect(task.metadata["slo"] == nil)
  }

  @Test func `a bayesian task begins with as many drawn points as it says, and learns from failures`() throws
  {
    let task = try read(Self.levels)
    #expect(task.method == "auto")
    #expect(task.methodOptions == ["startup": 7])
    #expect(task.penalties == .graded(.minimize))
    #expect(task.timeout == 600)
    #expect(
      try read(Self.levels.replacing("minimize_latency", with: "maximize_throughput")).penalties
        == .graded(.maximize))
    #expect(
      try read(Self.levels.replacing("\"task_name\"", with: "\"penalties\": \"none\", \"task_name\""))
        .penalties == PenaltyRule())
    #expect(
      try read(Self.levels.replacing(", \"n_initial_random\": 7", with: "")).methodOptions == ["startup": 5])
    #expect(
      try read(Self.levels.replacing("random\": 7", with: "random\": null")).methodOptions == ["startup": 5])
    #expect(task.objective?.fallback == "p50_e2e_latency")
    let random = try read(Self.levels.replacing("bayesian", with: "random"))
    #expect((random.methodOptions, random.penalties) == ([:], PenaltyRule()))
    #expect(random.notes.contains { $0.contains("'n_initial_random'") && $0.contains("learns nothing") })
    #expect(
      try read(Self.levels.replacing("random\": 7", with: "random\": 0")).methodOptions == ["startup": 2])
  }

  @Test(arguments: [
    ("random\": 7", "random\": 5000", "optimization.n_initial_random"),
    ("\"pp\": [1]", "\"pp\": []", "parallel_config.pp"),
    ("\"pp\": [1]", "\"pp\": {\"a\": 1}", "parallel_config.pp"),
    ("\"threshold\": 0.5", "\"threshold\": 0", "slo.ttft.threshold"),
    ("\"threshold\": 0.5", "\"weight\": 1", "slo.ttft.threshold"), ("\"p50\"", "\"p75\"", "slo.latency.p75"),
    ("\"steepness\": 0.2", "\"steepness\": -1", "slo.steepness"),
  ])
  func `blocks that cannot be are told`(old: String, new: String, key: String) throws {
    let error = #expect(throws: SweepFileError.self) { try read(Self.levels.replacing(old, with: new)) }
    #expect(error?.key == key)
  }

  @Test func `blocks that say nothing are nothing`() throws {
    let task = try read(
      #"{"task_name": "t", "parameters": {"a": [1, 2]}, "slo": null, "parallel_config": {}, "quant_config": null}"#
    )
    #expect(task.space.parameters.map(\.name) == ["a"])
    #expect(task.softBounds.isEmpty && task.constraints.isEmpty)
  }

  @Test func `what a task leaves out has the values its system gives it`() throws {
    let task = try read(
      #"{"task_name": "t", "parameters": {"a": [1, 2]}, "optimization": {}, "x-note": 1}"#
        .replacing(#""optimization": {}, "#, with: #""optimization": {"strategy": "grid_search"}, "#))
    #expect(task.method == "grid")
    #expect((task.runCap, task.timeout, task.budget) == (100, 600, 2))
    #expect(task.objectives.map(\.metric) == ["mean_e2e_latency"])
  }

  @Test(arguments: [
    (#""strategy": "grid""#, "optimization.strategy"), (#""objective": "latency""#, "optimization.objective"),
    (#""max_iterations": 0"#, "optimization.max_iterations"),
    (#""timeout_per_iteration": -1"#, "timeout"), (#""n_trials": 3"#, "optimization.n_trials"),
  ])
  func `values that no task may have are told`(setting: String, key: String) throws {
    let error = #expect(throws: SweepFileError.self) {
      try read("{\"task_name\": \"t\",\n\"parameters\": {\"a\": [1]},\n\"optimization\": {\(setting)}}")
    }
    #expect(error?.key == key)
    #expect(error?.line == 3)
  }

  @Test func `a task without a command says how to give one`() throws {
    let error = #expect(throws: SweepFileError.self) { try SweepSpecification.read(source: Self.task) }
    #expect(error?.key == "command")
  }

  private static let experiments = """
    experiment_name: weights
    command: [python3, train.py, "${args}"]
    max_parallel: 3
    num_epochs: 12
    experiments:
      - name: balanced
        hyperparameters: {learning_rate: 0.001, policy_weight: 0.5, value_weight: 0.5}
      - name: policy_heavy
        hyperparameters: {learning_rate: 0.001, policy_weight: 0.8, value_weight: 0.2}
      - name: balanced_high_lr
        hyperparameters: {learning_rate: 0.01, policy_weight: 0.5, value_weight: 0.5}
    """

  @Test func `a list of experiments runs these and no others, by their names`() throws {
    let file = try SweepSpecification.read(source: Self.experiments)
    #expect(file.title == "weights")
    #expect(file.budget == 3)
    #expect(file.maxParallel == 3)
    #expect(file.metadata["num_epochs"] == 12)
    var search = try file.search(seed: 0)
    var names: [String] = []
    for number in 0..<3 {
      guard case .trial(let suggestion) = search.ask(trial: number) else { break }
      names.append(file.runName(for: suggestion.point, number: number, seed: 0))
    }
    #expect(names == ["balanced", "policy_heavy", "balanced_high_lr"])
  }

  @Test func `an experiment that lacks a value is told`() throws {
    let source = Self.experiments.replacing("policy_weight: 0.8, ", with: "")
    let error = #expect(throws: SweepFileError.self) { try SweepSpecification.read(source: source) }
    #expect(error?.line == 8)
    #expect(error?.description.contains("policy_weight") == true)
  }
}
