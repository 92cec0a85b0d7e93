// Keys of sweep files that say how trials are executed.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct ExecutionKeysTests {
  private func read(_ keys: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: """
        program: train.py
        method: grid
        parameters: {tp: {values: [1, 2]}, layers: {values: [8, 16]}}
        \(keys)
        """, filename: "sweep.yaml")
  }

  private let point = Point(values: ["tp": 2, "layers": 16])

  @Test func `needs are numbers, sizes and expressions over parameters`() throws {
    let file = try read(
      """
      resources: {gpus: 2 * tp, gpu_memory: (2 + layers / 8) * GB, gpu_slots: 3, same_host: false, memory: 1.5 GiB}
      """)
    let needs = try #require(file.needs).needs(of: point).get()
    #expect(
      needs
        == Needs(
          devices: 4, deviceMemory: 4_000_000_000, deviceSlots: 3, sameHost: false, memory: 1_610_612_736))
  }

  @Test func `limits are read beside needs, and the memory asked for is one`() throws {
    let file = try read("resources: {memory: 2GB, cpus: tp + 1, output: 100 MB, open_files: 64 * tp}")
    let rule = try #require(file.needs)
    #expect(
      try rule.limits(of: point).get()
        == AttemptLimits(memory: 2_000_000_000, cpus: 3, output: 100_000_000, openFiles: 128))
    #expect(try read("resources: {gpus: 1}").needs?.limits(of: point).get() == AttemptLimits())
    // What comes out too small is told where needs are.
    let small = try #require(try read("resources: {open_files: tp}").needs)
    #expect(throws: NeedsRule.Unclear.self) { try small.needs(of: point).get() }
  }

  @Test func `what is not said of devices stays open`() throws {
    #expect(
      try read("resources: {gpu_memory: 20GB}").needs == NeedsRule(deviceMemory: .number(20_000_000_000)))
    #expect(try read("name: a").needs == nil)
  }

  @Test func `retries are one number, or one for each cause`() throws {
    let each = try read("retries: {infra: 3, oom: 0}\nretry_pause: 5s").retries
    #expect(each == RetryPolicy(limits: [.infra: 3, .oom: 0], pause: 5))
    #expect(
      try read("retries: 2").retries
        == RetryPolicy(limits: [.infra: 2, .failure: 2, .oom: 2, .timeout: 2]))
    #expect(try read("name: a").retries == RetryPolicy())
  }

  @Test func `priority and circuit breaker`() throws {
    let file = try read("priority: -2\nbreaker: 4")
    #expect(file.priority == -2)
    #expect(file.breaker == 4)
    #expect(try read("name: a").breaker == nil)
  }
}

/// Keys that say what stands around the trials.
@Suite struct SurroundingKeysTests {
  private func read(_ keys: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: "program: train.py\nmethod: grid\nparameters: {x: {values: [1, 2]}}\n\(keys)\n",
      filename: "sweep.yaml")
  }

  private func flaw(_ keys: String) -> String? {
    do throws(SweepFileError) {
      _ = try SweepSpecification.read(
        source: "program: train.py\nmethod: grid\nparameters: {x: {values: [1, 2]}}\n\(keys)\n")
      return nil
    } catch {
      return error.message
    }
  }

  @Test func `how many at a time: a number, a profile, or whatever there is room for`() throws {
    #expect(try read("name: a").maxParallel == 2)
    #expect(try read("profile: conservative").maxParallel == 2)
    #expect(try read("profile: aggressive").maxParallel == 3)
    #expect(try read("profile: aggressive\nmax_parallel: 7").maxParallel == 7)
    #expect(try read("max_parallel: auto").isAutomatic)
    #expect(try !read("max_parallel: 3").isAutomatic)
    #expect(
      flaw("max_parallel: some") == "'max_parallel' must be a whole number of 0 or more, or auto, not 'some'")
    #expect(flaw("profile: agressive")?.contains("conservative or aggressive") == true)
  }

  @Test func `what goes before, what is shared, what is left`() throws {
    #expect(
      try read("prepare: python3 get.py --to '${envvar:HOME} x'").preparation?.last == "${envvar:HOME} x")
    #expect(
      try read("prepare: python3 '${envvar:PLACE} x'").preparationArguments(environment: ["PLACE": "/a"])
        == ["python3", "/a x"])
    #expect(try read("prepare: [make, data]").preparation == ["make", "data"])
    let whole = try read("prepare: {command: [make, data], resources: {gpus: 2, memory: 1GB}}")
    #expect(whole.preparation == ["make", "data"] && whole.needs == nil)
    #expect(try whole.preparationNeeds.needs(of: Point()).get() == Needs(devices: 2, memory: 1_000_000_000))
    #expect(try read("prepare: [make, data]").preparationNeeds == NeedsRule())
    #expect(flaw("prepare: {resources: {gpus: 2}}")?.contains("'prepare.command' is missing") == true)
    #expect(flaw("prepare: {command: make, resources: {gpus: x}}")?.contains("x") == true)
    #expect(flaw("prepare: {command: make, memory: 1GB}")?.contains("memory") == true)
    #expect(flaw("prepare: run ${args}") == "'prepare' belongs to no trial: '${args}' means nothing in it")
    #expect(try read("shards: 4").shards == 4)
    #expect(try read("name: a").resume == "*")
    #expect(try read("resume: epoch*.pt").resume == "epoch*.pt")
    #expect(try read("resume: false").resume == nil)
    #expect(try read("results: [summary, best_model]").results == [.summary, .bestModel])
    #expect(try read("name: a").results.count == 3)
    #expect(flaw("results: [sumary]")?.hasPrefix("'results[0]' must be one of summary") == true)
  }

  @Test func `no run is called like what lies beside it`() throws {
    let file = try SweepSpecification.read(
      source: """
        program: train.py
        method: grid
        run_name: "{x}"
        parameters: {x: {values: [shared, prepare, other]}}
        """)
    let names = (0..<3).map { number in
      file.runName(for: file.space.point(at: number) ?? Point(), number: number, seed: 1)
    }
    #expect(names == ["shared_0", "prepare_1", "other_2"])
  }

  @Test func `a point that is tried again takes no other point's name`() throws {
    let file = try SweepSpecification.read(
      source: """
        program: train.py
        method: points
        points: [{name: a, parameters: {x: 1}}, {name: a_2, parameters: {x: 2}}]
        parameters: {x: {values: [1, 2]}}
        """)
    let point = try #require(file.points.first?.point)
    #expect(file.runName(for: point, number: 2, seed: 1, isRepeat: true) == "a_again_2")
    #expect(file.runName(for: point, number: 3, seed: 1, isRepeat: true) == "a_3")
  }
}
