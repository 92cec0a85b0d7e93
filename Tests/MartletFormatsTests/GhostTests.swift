// Ghost's three sweeps: the same names, the same order, the same commands.

import Foundation
import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct GhostTests {
  private func example(_ name: String) throws -> SweepSpecification {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let url = root.appending(path: "examples/ghost/\(name).json")
    return try SweepSpecification.read(
      source: String(contentsOf: url, encoding: .utf8), filename: "\(name).json")
  }

  private func points(_ file: SweepSpecification) throws -> [Point] {
    var search = try file.search(seed: 0)
    var points: [Point] = []
    while case .trial(let suggestion) = search.ask(trial: points.count) { points.append(suggestion.point) }
    return points
  }

  private func names(_ file: SweepSpecification) throws -> [String] {
    try points(file).enumerated().map { file.runName(for: $1, number: $0, seed: 0) }
  }

  private func command(_ file: SweepSpecification, _ number: Int) throws -> String {
    let point = try points(file)[number]
    let name = file.runName(for: point, number: number, seed: 0)
    let run = RunPlace(name: name, directory: "out/\(name)", paramsFile: "p")
    return file.arguments(for: point, run: run).joined(separator: " ")
  }

  @Test func architecture() throws {
    let file = try example("architecture_sweep")
    #expect(
      try names(file) == [
        "ed_128_nl_4_ne_4_gnnl_2", "ed_128_nl_4_ne_4_gnnl_3", "ed_128_nl_4_ne_8_gnnl_2",
        "ed_128_nl_4_ne_8_gnnl_3",
        "ed_128_nl_6_ne_4_gnnl_2", "ed_128_nl_6_ne_4_gnnl_3", "ed_128_nl_6_ne_8_gnnl_2",
        "ed_128_nl_6_ne_8_gnnl_3",
        "ed_256_nl_4_ne_4_gnnl_2", "ed_256_nl_4_ne_4_gnnl_3", "ed_256_nl_4_ne_8_gnnl_2",
        "ed_256_nl_4_ne_8_gnnl_3",
        "ed_256_nl_6_ne_4_gnnl_2", "ed_256_nl_6_ne_4_gnnl_3", "ed_256_nl_6_ne_8_gnnl_2",
        "ed_256_nl_6_ne_8_gnnl_3",
      ])
    #expect(
      try command(file, 0)
        == "python -m ghost.run_gnn_moe --embed_dim 128 --num_layers 4 --num_experts 4 --gnn_layers 2 --epochs 1 "
        + "--max_batches_per_epoch 100 --num_train_samples 2000 --num_eval_samples 400 --eval_every 50 "
        + "--checkpoint_dir out/ed_128_nl_4_ne_4_gnnl_2 --run_name ed_128_nl_4_ne_4_gnnl_2")
    #expect(file.method == "grid")
    #expect(file.title == "architecture_sweep")
    #expect(file.objective == Objective(metric: "eval_loss", goal: .minimize))
  }

  @Test func ghost() throws {
    let file = try example("ghost_sweep")
    var expected: [String] = []
    for experts in ["2", "4", "8"] {
      for threshold in ["6.00e-01", "7.50e-01", "9.00e-01"] {
        for rate in ["1.00e-04", "5.00e-05", "1.00e-05"] {
          expected.append("nge_\(experts)_gat_\(threshold)_glr_\(rate)")
        }
      }
    }
    #expect(try names(file) == expected)
    #expect(
      try command(file, 4)
        == "python -m ghost.run_gnn_moe --num_ghost_experts 2 --ghost_activation_threshold 0.75 "
        + "--ghost_learning_rate 5e-05 --embed_dim 256 --num_layers 4 --num_experts 4 --gnn_layers 2 --epochs 1 "
        + "--max_batches_per_epoch 100 --num_train_samples 2000 --num_eval_samples 400 --eval_every 50 --quiet "
        + "--checkpoint_dir out/nge_2_gat_7.50e-01_glr_5.00e-05 --run_name nge_2_gat_7.50e-01_glr_5.00e-05")
  }

  @Test func training() throws {
    let file = try example("training_sweep")
    var expected: [String] = []
    for rate in ["5.00e-04", "1.00e-04", "5.00e-05"] {
      for batch in ["16", "32", "64"] {
        for dropout in ["1.00e-01", "2.00e-01", "3.00e-01"] {
          expected.append("lr_\(rate)_bs_\(batch)_dr_\(dropout)")
        }
      }
    }
    #expect(try names(file) == expected)
    #expect(expected.count == 27)
    #expect(
      try command(file, 26)
        == "python -m ghost.run_gnn_moe --learning_rate 5e-05 --batch_size 64 --dropout_rate 0.3 --embed_dim 256 "
        + "--num_layers 4 --num_experts 4 --gnn_layers 2 --num_ghost_experts 4 --ghost_activation_threshold 0.75 "
        + "--ghost_learning_rate 0.0001 --epochs 1 --max_batches_per_epoch 100 --num_train_samples 2000 "
        + "--num_eval_samples 400 --eval_every 50 --quiet --checkpoint_dir out/lr_5.00e-05_bs_64_dr_3.00e-01 "
        + "--run_name lr_5.00e-05_bs_64_dr_3.00e-01")
  }

  @Test func theFormInYAMLWithOurOwnKeys() throws {
    let file = try SweepSpecification.read(
      source: """
        base_command: python 'my train.py' --mode "a b"
        sweep_params:
          lr: {values: [1e-4], prefix: lr}
          fast: {values: [true, false]}
        static_params: {quiet: true, loud: false, note: null, tags: [1, 2]}
        max_parallel: 3
        metric: {name: acc, goal: maximize}
        """)
    #expect(file.maxParallel == 3)
    #expect(file.objective == Objective(metric: "acc", goal: .maximize))
    #expect(try names(file) == ["lr_1.00e-04_fast_True", "lr_1.00e-04_fast_False"])
    let run = RunPlace(name: "r", directory: "d", paramsFile: "p")
    #expect(
      try points(file).map { file.arguments(for: $0, run: run) } == [
        [
          "python", "my train.py", "--mode", "a b", "--lr", "0.0001", "--fast", "--quiet", "--tags", "[1, 2]",
          "--checkpoint_dir", "d", "--run_name", "r",
        ],
        [
          "python", "my train.py", "--mode", "a b", "--lr", "0.0001", "--quiet", "--tags", "[1, 2]",
          "--checkpoint_dir",
          "d", "--run_name", "r",
        ],
      ])
  }

  @Test func aCommandBesideTheFileKeepsTheFlags() throws {
    let file = try SweepSpecification.read(
      source: #"{"base_command": "old", "sweep_params": {"a": {"values": [1], "prefix": "a"}}}"#,
      command: ["new", "x"])
    let point = try #require(file.space.point(at: 0))
    #expect(
      file.arguments(for: point, run: RunPlace(name: "r", directory: "d", paramsFile: "p"))
        == ["new", "x", "--a", "1", "--checkpoint_dir", "d", "--run_name", "r"])
  }

  @Test(arguments: [
    (#"{"base_command": "", "sweep_params": {"a": {"values": [1]}}}"#, "base_command"),
    (#"{"base_command": "x", "sweep_params": {}}"#, "sweep_params"),
    (#"{"base_command": "x", "sweep_params": {"a": [1, 2]}}"#, "sweep_params.a"),
    (#"{"base_command": "x", "sweep_params": {"a": {"values": []}}}"#, "sweep_params.a.values"),
    (#"{"base_command": "x", "sweep_params": {"a": {"values": 3}}}"#, "sweep_params.a.values"),
    (#"{"base_command": "x", "sweep_params": {"a": {"values": [1], "prefx": "p"}}}"#, "sweep_params.a.prefx"),
    (#"{"base_command": "x", "sweep_params": {"a": {"values": [1]}}, "static_parms": {}}"#, "static_parms"),
    (
      #"{"base_command": "x", "sweep_params": {"a": {"values": [1]}}, "static_params": [1]}"#, "static_params"
    ),
  ])
  func flaws(source: String, key: String) throws {
    let error = #expect(throws: SweepFileError.self) { try SweepSpecification.read(source: source) }
    #expect(error?.key == key)
    #expect(error?.others.isEmpty == true)
  }
}

@Suite struct RunNamingTests {
  private func names(_ source: String) throws -> [String] {
    let file = try SweepSpecification.read(source: source)
    return (0..<(file.space.cardinality ?? 0)).compactMap { number in
      file.space.point(at: number).map { file.runName(for: $0, number: number, seed: 3) }
    }
  }

  @Test func withoutARule() throws {
    let names = try names("program: t.py\nmethod: grid\nparameters: {a: {values: [1, 2, 3]}}")
    #expect(names == (0..<3).map { RunNames.name(seed: 3, number: $0) })
  }

  @Test func namesThatWouldMeetGetTheirNumber() throws {
    // 1.001e-4 and 1.002e-4 are one text at two decimals; two runs must not share a directory.
    #expect(
      try names(
        #"{"base_command": "x", "sweep_params": {"lr": {"values": [1.001e-4, 1.002e-4], "prefix": "lr"}}}"#)
        == ["lr_1.00e-04_0", "lr_1.00e-04_1"])
    #expect(
      try names("program: t.py\nmethod: grid\nrun_name: same\nparameters: {a: {values: [1, 2]}}") == [
        "same_0", "same_1",
      ])
    #expect(
      try names("program: t.py\nmethod: grid\nrun_name: 'r{number}'\nparameters: {a: {values: [1, 2]}}") == [
        "r0", "r1",
      ])
  }

  @Test func namesAreSafeAsDirectories() throws {
    let names = try names(
      #"""
      {"program": "t.py", "method": "grid", "run_name": "{a}",
       "parameters": {"a": {"values": ["../../etc", "a/b", ".", "..", "", "-rf", "a\nb", "a\u0000b", "ok name"]}}}
      """#)
    #expect(
      names == [
        "_..-..-etc_0", "a-b_1", "_._2", "_.._3", "__4", "_-rf_5", "a-b_6", "a-b_7", "ok name_8",
      ])
    for name in names {
      #expect(!name.isEmpty && !name.hasPrefix(".") && !name.hasPrefix("-"))
      #expect(!name.contains("/") && !name.unicodeScalars.contains { $0.value < 0x20 })
    }
  }

  @Test func longNamesAreCutButNotLost() throws {
    let long = String(repeating: "é", count: 300)
    let names = try names(
      "program: t.py\nmethod: grid\nrun_name: '{a}'\nparameters: {a: {values: [\(long)1, \(long)2]}}")
    #expect(Set(names).count == 2)
    #expect(names.allSatisfy { $0.utf8.count <= 200 })
  }

  @Test func aNumberThatMayBeTakenForAnotherIsNotEnough() throws {
    // Width 1 as trial 12 and width 11 as trial 2 are both w112.
    let rule = "program: t.py\nrun_name: 'w{width}{number}'\n"
    let grid = try names(
      rule + "method: grid\nparameters: {width: {values: [11, 20, 30, 40, 1]}, again: {values: [1, 2, 3]}}")
    #expect(grid.count == 15)
    #expect(Set(grid).count == 15)
    let file = try SweepSpecification.read(
      source: rule + "method: random\nparameters: {width: {min: 1, max: 20}}")
    let (one, eleven) = (try #require(file.space.point(at: 0)), try #require(file.space.point(at: 10)))
    #expect((one["width"], eleven["width"]) == (.int(1), .int(11)))
    #expect(
      file.runName(for: one, number: 12, seed: 3) != file.runName(for: eleven, number: 2, seed: 3))
  }

  @Test(arguments: [
    ("{number}", true), ("r{number}", true), ("a{a}_{number}", true), ("{number}-a{a}", true),
    ("a{a}{number}", false), ("{number}{a}", false), ("a{a}_{number}_{a}", false), ("{a}1{number}", false),
    ("{number}{number}", false),
  ]) func whereTheNumberIsEnough(rule: String, isEnough: Bool) throws {
    let file = try SweepSpecification.read(
      source: "program: t.py\nmethod: random\nrun_name: '\(rule)'\nparameters: {a: {values: [1, 2]}}")
    let point = try #require(file.space.point(at: 0))
    let plain = rule.replacing("{a}", with: "1").replacing("{number}", with: "7")
    #expect(file.runName(for: point, number: 7, seed: 3) == (isEnough ? plain : plain + "_7"))
  }

  @Test(arguments: ["grid", "random"], ["{a}_{number}", "{a}", "{number}_{a}"])
  func theCutLeavesTheNumber(method: String, rule: String) throws {
    let long = String(repeating: "é", count: 300)
    let file = try SweepSpecification.read(
      source:
        "program: t.py\nmethod: \(method)\nrun_name: '\(rule)'\nparameters: {a: {values: [\(long), \(long)]}}"
    )
    let names = try (0..<200).map { number in
      file.runName(for: try #require(file.space.point(at: number % 2)), number: number, seed: 3)
    }
    #expect(Set(names).count == 200)
    #expect(names.allSatisfy { $0.utf8.count <= 200 })
  }
}
