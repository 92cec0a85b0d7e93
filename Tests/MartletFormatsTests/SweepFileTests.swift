// Sweep files people have: what is read from them.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SweepFileTests {
  private func read(_ source: String, _ filename: String? = "sweep.yaml") throws -> SweepSpecification {
    try SweepSpecification.read(source: source, filename: filename)
  }

  @Test func everyKey() throws {
    let file = try read(
      """
      name: digits
      description: A grid over width and rate
      project: demo
      program: train.py
      method: grid
      metric:
        name: val/loss (best)
        goal: maximize
        target: 0.95
      parameters:
        width: {values: [16, 64]}
        lr: {values: [0.1, 1e-5]}
      run_cap: 3
      max_parallel: 4
      timeout: 1h30m
      grace: 2.5
      stop_signal: SIGUSR1
      resources: {gpus: 1}
      checkpoint: "model-*.bin"
      seed: 7
      workdir: src
      output: out
      env:
        OMP_NUM_THREADS: 1
        RATE: 1e3
        EMPTY:
      run_name: "lr{lr:.1e}_w{width}"
      """)
    #expect(file.name == "digits")
    #expect(file.title == "digits")
    #expect(file.description == "A grid over width and rate")
    #expect(file.project == "demo")
    #expect(file.program == "train.py")
    #expect(file.method == "grid")
    #expect(file.objective == Objective(metric: "val/loss (best)", goal: .maximize))
    #expect(file.targets == [0.95])
    #expect(file.space.cardinality == 4)
    #expect(file.runCap == 3)
    #expect(file.budget == 3)
    #expect(file.maxParallel == 4)
    #expect(file.timeout == 5400)
    #expect(file.grace == 2.5)
    #expect(file.stopSignal == .usr1)
    #expect(file.needs == NeedsRule(devices: .number(1)))
    #expect(file.checkpoint == "model-*.bin")
    #expect(file.seed == 7)
    #expect(file.workdir == "src")
    #expect(file.output == "out")
    #expect(file.environment == ["OMP_NUM_THREADS": "1", "RATE": "1e3", "EMPTY": ""])
    #expect(file.command == [.macro(.env), .macro(.interpreter), .macro(.program), .macro(.args)])
    #expect(file.form == .sweep)
    #expect(file.notes.isEmpty)
    let point = try #require(file.space.point(at: 1))
    #expect(file.runName(for: point, number: 1, seed: 0) == "lr1.0e-05_w16")
  }

  @Test func standards() throws {
    let file = try read("program: t.py\nmethod: random\nparameters: {a: {value: 1}}", "dir/my sweep.yml")
    #expect(file.title == "my sweep")
    #expect(file.objective == nil)
    #expect(file.maxParallel == 2)
    #expect(file.grace == 10)
    #expect(file.timeout == nil)
    #expect(file.stopSignal == .term)
    #expect(file.checkpoint == "best_model*")
    #expect(file.budget == nil)
    #expect(file.needs == nil)
    #expect(file.seed == nil)
    #expect(try read("program: t.py\nmethod: grid\nparameters: {a: {value: 1}}", nil).title == "sweep")
  }

  @Test func metricGoesDownUnlessItIsSaid() throws {
    let file = try read("program: t.py\nmethod: grid\nmetric: {name: loss}\nparameters: {a: {value: 1}}")
    #expect(file.objective == Objective(metric: "loss", goal: .minimize))
  }

  @Test(arguments: [
    ("{values: [a, 1, 2.5, true, null]}", Domain.categorical(["a", 1, 2.5, true, nil])),
    ("{values: [1, 2], probabilities: [0.25, 0.75]}", .categorical([1, 2], probabilities: [0.25, 0.75])),
    (
      "{distribution: categorical_w_probabilities, values: [1, 2], probabilities: [0.25, 0.75]}",
      .categorical([1, 2], probabilities: [0.25, 0.75])
    ),
    ("{distribution: categorical, values: [1]}", .categorical([1])),
    ("{value: [1, 2]}", .constant([1, 2])), ("{value: null}", .constant(nil)),
    ("{distribution: constant, value: x}", .constant("x")),
    ("{min: 1, max: 8}", .integers(min: 1, max: 8)), ("{min: -8, max: -1}", .integers(min: -8, max: -1)),
    ("{min: 16, max: 64, step: 16}", .integers(min: 16, max: 64, step: 16)),
    ("{distribution: int_uniform, min: 1, max: 8}", .integers(min: 1, max: 8)),
    ("{min: 0.0, max: 1}", .real(.uniform(min: 0, max: 1))),
    ("{min: 1e-5, max: 1e-1}", .real(.uniform(min: 1e-5, max: 0.1))),
    ("{distribution: uniform, min: 1, max: 2}", .real(.uniform(min: 1, max: 2))),
    ("{min: 16, max: 64, q: 16}", .real(.uniform(min: 16, max: 64), quantum: Quantum(16, isWhole: true))),
    (
      "{distribution: q_uniform, min: 0, max: 1, q: 0.25}",
      .real(.uniform(min: 0, max: 1), quantum: Quantum(0.25))
    ),
    (
      "{distribution: q_uniform, min: 0, max: 9}",
      .real(.uniform(min: 0, max: 9), quantum: Quantum(1, isWhole: true))
    ),
    ("{distribution: log_uniform, min: -9, max: -2}", .real(.logUniform(min: -9, max: -2))),
    (
      "{distribution: log_uniform_values, min: 1e-5, max: 0.1}", .real(.logUniformValues(min: 1e-5, max: 0.1))
    ),
    (
      "{distribution: q_log_uniform_values, min: 8, max: 512, q: 8}",
      .real(.logUniformValues(min: 8, max: 512), quantum: Quantum(8, isWhole: true))
    ),
    (
      "{distribution: q_log_uniform, min: 0, max: 5, q: 1}",
      .real(.logUniform(min: 0, max: 5), quantum: Quantum(1, isWhole: true))
    ),
    ("{distribution: inv_log_uniform, min: 1, max: 2}", .real(.invLogUniform(min: 1, max: 2))),
    ("{distribution: inv_log_uniform_values, min: 1, max: 2}", .real(.invLogUniformValues(min: 1, max: 2))),
    ("{distribution: normal}", .real(.normal(mu: 0, sigma: 1))),
    ("{mu: 3, sigma: 2}", .real(.normal(mu: 3, sigma: 2))),
    (
      "{distribution: q_normal, mu: 3, sigma: 2, q: 0.5}",
      .real(.normal(mu: 3, sigma: 2), quantum: Quantum(0.5))
    ),
    ("{distribution: log_normal, mu: 1}", .real(.logNormal(mu: 1, sigma: 1))),
    ("{distribution: q_log_normal}", .real(.logNormal(mu: 0, sigma: 1), quantum: Quantum(1, isWhole: true))),
    ("{distribution: beta, a: 2, b: 5}", .real(.beta(a: 2, b: 5))),
  ])
  func distributions(settings: String, expected: Domain) throws {
    let file = try read("program: t.py\nmethod: random\nparameters:\n  p: \(settings)")
    #expect(file.space.parameters == [Parameter("p", expected)])
  }

  @Test func gridsOfRanges() throws {
    let file = try read(
      """
      program: t.py
      method: grid
      parameters:
        layers: {min: 1, max: 3}
        drop: {distribution: q_uniform, min: 0.1, max: 0.3, q: 0.1}
        fixed: {value: 7}
      """)
    #expect(file.space.cardinality == 9)
    #expect(file.space.point(at: 5)?.flat.text == #"{"layers":2,"drop":0.3,"fixed":7}"#)
  }

  @Test func nestedParameters() throws {
    let file = try read(
      """
      program: t.py
      method: grid
      parameters:
        optimizer:
          parameters:
            lr: {values: [0.1]}
            schedule:
              parameters:
                warmup: {value: 3}
        model.width: {values: [64]}
      """)
    let point = try #require(file.space.point(at: 0))
    #expect(point.nested.text == #"{"optimizer":{"lr":0.1,"schedule":{"warmup":3}},"model.width":64}"#)
    let run = RunPlace(name: "r", directory: "/d", paramsFile: "/d/p.json")
    #expect(
      file.arguments(for: point, run: run).suffix(3) == [
        "--optimizer.lr=0.1", "--optimizer.schedule.warmup=3", "--model.width=64",
      ])
  }

  // MARK: - Files as they are

  @Test func scalarsAreThoseOfYAML12() throws {
    let file = try read(
      """
      program: t.py
      method: grid
      parameters:
        p:
          values: [1e-5, 1E5, .5, 5., -2, +3, 0x1F, 0o17, 007, 1.5e+3, on, off, yes, no, y, "1", '2.5', true, "true", ~,
            null, .inf, -.inf, 1_000, 12:30:45, 2001-01-01, 1e, e5, 0b1, -, 10000000000000000000]
      """)
    guard case .categorical(let values, _) = file.space.parameters[0].domain else {
      Issue.record("not categorical")
      return
    }
    let expected: [JSONValue] = [
      1e-5, 1e5, 0.5, .double(5), -2, 3, 31, 15, 7, .double(1500), "on", "off", "yes", "no", "y", "1", "2.5",
      true,
      "true", nil, nil, .double(.infinity), .double(-.infinity), "1_000", "12:30:45", "2001-01-01", "1e",
      "e5", "0b1",
      "-", .double(1e19),
    ]
    #expect(values == expected)
  }

  @Test func tagsAreHeeded() throws {
    let file = try read(
      "program: t.py\nmethod: grid\nparameters: {p: {values: [!!str 1, !!float 2, !!int 3, !!bool true, !!null x]}}"
    )
    #expect(file.space.parameters[0].domain == .categorical(["1", .double(2), 3, true, nil]))
  }

  @Test func aSweepUnderASweepKey() throws {
    let file = try read(
      """
      model: {width: 3}
      sweep:
        program: t.py
        method: grid
        parameters: {a: {values: [1, 2]}}
      """)
    #expect(file.space.cardinality == 2)
  }

  @Test func anchorsAndMergesUnfold() throws {
    let file = try read(
      """
      x-shared: &shared {min: 1, max: 4}
      program: t.py
      method: random
      parameters:
        a: *shared
        b: {<<: *shared, max: 9}
      """)
    #expect(file.space.parameters.map(\.domain) == [.integers(min: 1, max: 4), .integers(min: 1, max: 9)])
  }

  @Test func jsonIsReadAsJSON() throws {
    let file = try read(
      "\n\t{\"program\": \"t.py\",\n\t\"method\":\"grid\",\"parameters\":{\"a\":{\"values\":[1.0,\"\\ud83d\\ude00\",1e-5]}}}\n",
      "sweep.json")
    #expect(file.space.parameters[0].domain == .categorical([.double(1), "😀", 1e-5]))
    // YAML's flow style begins with the same brace.
    let yaml = try read("{program: t.py, method: grid, parameters: {a: {values: [x]}}}")
    #expect(yaml.space.parameters[0].domain == .categorical(["x"]))
  }

  @Test func harmlessKeysAreNoted() throws {
    let file = try read(
      "entity: me\nprogram: t.py\nmethod: grid\nx-mine: 3\nkind: sweep\nparameters: {a: {value: 1}}")
    #expect(file.notes.count == 2)
    #expect(file.notes[0].contains("line 1") && file.notes[0].contains("'entity'"))
  }

  @Test func exponentBoundsThatLookLikeValuesAreNoted() throws {
    let file = try read(
      "program: t.py\nmethod: random\nparameters: {lr: {distribution: log_uniform, min: 1e-5, max: 1e-1}}")
    #expect(file.notes.count == 1)
    #expect(file.notes[0].contains("log_uniform_values"))
  }

  @Test(arguments: [
    ("90", 90.0), ("0.5", 0.5), ("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("1d 12h", 129_600),
    ("\"45\"", 45), ("1.5h", 5400),
  ])
  func times(text: String, seconds: Double) throws {
    let file = try read("program: t.py\nmethod: grid\ntimeout: \(text)\nparameters: {a: {value: 1}}")
    #expect(file.timeout == seconds)
  }

  @Test func theOtherNameOfMaxParallel() throws {
    let file = try read(
      "program: t.py\nmethod: grid\nmax_parallel_experiments: 5\nparameters: {a: {value: 1}}")
    #expect(file.maxParallel == 5)
  }

  @Test func budgets() throws {
    func budget(_ rest: String) throws -> Int? {
      try read("program: t.py\nparameters: {a: {values: [1, 2, 3]}}\n" + rest).budget
    }
    #expect(try budget("method: grid") == 3)
    #expect(try budget("method: grid\nrun_cap: 2") == 2)
    #expect(try budget("method: grid\nrun_cap: 9") == 3)
    #expect(try budget("method: random") == nil)
    #expect(try budget("method: random\nrun_cap: 9") == 9)
  }
}
