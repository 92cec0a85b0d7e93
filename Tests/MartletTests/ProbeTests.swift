// `martlet probe`: the search alone, and through real runs.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import martlet

@Suite("probe", .serialized)
struct ProbeTests {
  /// What a search finds where values up to `capacity` fit, and what it tried.
  private func found(_ search: ProbeSearch, capacity: Int) -> (ProbeSearch, tries: [Int]) {
    var search = search
    var tries: [Int] = []
    while let value = search.next, tries.count < 100 {
      tries.append(value)
      search.tell(value, fits: value <= capacity)
    }
    return (search, tries)
  }

  @Test("it doubles until memory ends, then goes halfway back")
  func doubles() {
    let (search, tries) = found(ProbeSearch(first: 8, largest: 4_096, precision: 0), capacity: 100)
    #expect(search.worked == 100)
    #expect(search.failed == 101)
    #expect(tries == [8, 16, 32, 64, 128, 96, 112, 104, 100, 102, 101])
    #expect(search.recommended(margin: 0.1) == 90)
  }

  @Test(
    "whatever the capacity, it finds the largest multiple as near as was asked, and never tries one twice"
  )
  func everyCapacity() {
    for unit in [1, 8] {
      for precision in [0, 0.05, 0.3] {
        for capacity in 0...700 {
          let (search, tries) = found(
            ProbeSearch(first: 24, largest: 600, unit: unit, precision: precision),
            capacity: capacity)
          let best = min(capacity, 600) / unit * unit
          #expect(Set(tries).count == tries.count)
          #expect(tries.allSatisfy { $0 % unit == 0 && (unit...600).contains($0) })
          #expect(tries.count <= 20)
          #expect(search.worked <= best)
          #expect((search.worked == 0) == (best == 0))
          #expect(Double(best - search.worked) <= max(0, precision * Double(search.worked)))
          if let recommended = search.recommended(margin: 0.1) {
            #expect(recommended % unit == 0 && recommended >= unit && recommended <= search.worked)
          }
        }
      }
    }
  }

  @Test(
    "want of memory is known by what is said",
    arguments: [
      ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", true),
      ("RuntimeError: MPS backend out of memory", true), ("MemoryError", true),
      ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB", true),
      (
        "RuntimeError: [enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: not enough memory",
        true
      ),
      ("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory", true),
      ("ValueError: batch size must be even", false), ("memory: 12 GB", false),
    ])
  func words(line: String, isTrouble: Bool) {
    #expect((MemoryTrouble.line(in: "step 1\n\(line)\n") == line) == isTrouble)
  }

  /// Fits up to 100; goes on for ever at 64.
  private static let program = """
    if [ $1 = 64 ]; then echo busy; exec sleep 600; fi
    if [ $1 -le 100 ]; then echo fits; exit; fi
    echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB' >&2; exit 1
    """

  @Test("runs find the largest that works; one that goes on has worked; the runs know their value")
  func runs() async throws {
    try await Workplace.withServer { place in
      let command = ["sh", "-c", Self.program, "sh", "{batch_size}"]
      let options = [
        "probe", "--param", "batch_size", "--precision", "0", "--seconds", "1", "--format", "json",
      ]
      let outcome = try await place.martlet(options + ["--"] + command)
      #expect(outcome.status == 0, "\(outcome)")
      let answer = try JSONValue.parse(outcome.output)
      #expect(answer["largest"]?.int == 100)
      #expect(answer["smallest_failed"]?.int == 101)
      #expect(answer["recommended"]?.int == 90)
      let tries = try #require(answer["tries"]?.array)
      #expect(tries.map { $0["value"]?.int } == [8, 16, 32, 64, 128, 96, 112, 104, 100, 102, 101])
      for made in tries {
        #expect(
          made["outcome"]?.string == (made["value"]?.int ?? 0 <= 100 ? "worked" : "outOfMemory"))
      }
      #expect(tries[4]["reason"]?.string?.contains("CUDA out of memory") == true)
      let runs = try await place.json("run", "list", "--filter", "batch_size = 64")
      #expect(runs.array?.map { $0["state"]?.string } == ["timedOut"])
      #expect(runs.array?.first?["tags"]?.array?.first?.string == "probe")
    }
  }

  @Test("a real MemoryError ends a try, and the table says what to take")
  func memoryError() async throws {
    try await Workplace.withServer { place in
      let program =
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); bytearray(int(sys.argv[1]) << 20)"
      let outcome = try await place.martlet(
        "probe", "--param", "mb", "--from", "32", "--max", "4096", "--precision", "0.5", "--",
        "python3", "-c", program, "{mb}")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("mb 32  worked"), "\(outcome)")
      #expect(outcome.output.contains("MemoryError"), "\(outcome)")
      #expect(outcome.output.contains("Largest that worked"), "\(outcome)")
      #expect(outcome.output.contains("Recommended"), "\(outcome)")
    }
  }

  @Test("what fails for another reason ends the probe with it; what never fits too")
  func failures() async throws {
    try await Workplace.withServer { place in
      let wrong = try await place.martlet(
        "probe", "--param", "n", "--", "sh", "-c", "echo no such data >&2; exit 5", "sh", "{n}")
      #expect(wrong.status == 1, "\(wrong)")
      #expect(wrong.errors.contains("not for want of memory"))
      #expect(wrong.errors.contains("no such data"))
      let never = try await place.martlet(
        "probe", "--param", "n", "--", "sh", "-c", "echo MemoryError; exit 1", "sh", "{n}")
      #expect(never.status == 1, "\(never)")
      #expect(never.errors.contains("Not even n 1 fits"), "\(never)")
      #expect(never.output.split(separator: "\n").count == 4, "8, 4, 2, 1")
    }
  }

  @Test(
    "options that make no sense are status 64",
    arguments: [
      (["--param", "n", "--", "true"], "{n}"), (["--param", "n"], "no command"),
      (["--param", "n", "--from", "9", "--max", "8", "--", "true", "{n}"], "--max"),
      (["--param", "n", "--margin", "1", "--", "true", "{n}"], "--margin"),
      (["--param", "n", "--seconds", "0", "--", "true", "{n}"], "--seconds"),
    ])
  func wrongOptions(words: [String], said: String) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(["probe"] + words)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.contains(said), "\(outcome)")
      #expect(!place.exists(place.data))
    }
  }
}
