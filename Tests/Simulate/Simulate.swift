// Simulates seed after seed, on all processors, until one violates a law.
//
//     martlet-simulate [--seeds N] [--from N] [--mutant NAME]
//
// Or tells what decisions cost in a sweep that has had so many trials:
//
//     martlet-simulate --decisions N [--method NAME]

import Foundation
import MartletScheduling
import MartletSimulation
import Synchronization

struct Options {
  var seeds = 1_000
  var from: UInt64 = 0
  var mutant: Law?
  /// Trials of the sweep in which decisions are timed; nil: seeds are simulated.
  var decisions: Int?
  var method = "random"

  init?(_ words: [String]) {
    var words = words[...]
    while let option = words.popFirst() {
      guard let value = words.popFirst() else { return nil }
      switch option {
      case "--seeds":
        guard let count = Int(value), count > 0 else { return nil }
        seeds = count
      case "--from":
        guard let first = UInt64(value) else { return nil }
        from = first
      case "--mutant":
        guard let law = Law(rawValue: value) else { return nil }
        mutant = law
      case "--decisions":
        guard let count = Int(value), count > 0 else { return nil }
        decisions = count
      case "--method": method = value
      default: return nil
      }
    }
  }
}

struct Outcome {
  var count = SimulationCount()
  var seeds = 0
  var failed: [(seed: UInt64, violations: [String])] = []
}

extension Result {
  var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}

@main
struct Simulate {
  static func main() {
    guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
      let laws = Law.allCases.map(\.rawValue).joined(separator: " ")
      let usage = """
        usage: martlet-simulate [--seeds N] [--from N] [--mutant NAME]
               martlet-simulate --decisions N [--method NAME]
        mutants: \(laws)

        """
      FileHandle.standardError.write(Data(usage.utf8))
      exit(64)
    }
    if let trials = options.decisions { tellCost(ofDecisions: trials, options.method) }

    let outcome = Mutex(Outcome())
    let next = Atomic<Int>(0)
    let began = ContinuousClock.now
    DispatchQueue.concurrentPerform(iterations: ProcessInfo.processInfo.activeProcessorCount) { _ in
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < options.seeds, outcome.withLock({ $0.failed.isEmpty }) else { return }
        let seed = options.from + UInt64(number)
        var simulation = Simulation(seed: seed, breaking: options.mutant)
        let error = Result { try simulation.run() }.failure
        let violations = error.map { ["\($0)"] } ?? simulation.violations
        let count = simulation.count
        outcome.withLock {
          $0.count = $0.count + count
          $0.seeds += 1
          if !violations.isEmpty { $0.failed.append((seed, violations)) }
        }
      }
    }

    let (count, seeds, failed) = outcome.withLock { ($0.count, $0.seeds, $0.failed) }
    let took = Double((ContinuousClock.now - began).components.seconds)
    print(
      """
      seeds \(seeds) (from \(options.from)), \(String(format: "%.0f", took)) s
      events \(count.events), grants \(count.grants), trials \(count.trials), attempts \(count.attempts), \
      further attempts \(count.retries)
      crashes \(count.crashes), of these restarts of the machine \(count.reboots), refused writes \(count.refusedWrites)
      violations \(failed.count)
      """)
    for (seed, violations) in failed.sorted(by: { $0.seed < $1.seed }) {
      print(
        "\nSEED=\(seed): make simulate SEEDS=1 FROM=\(seed)\(options.mutant.map { " MUTANT=\($0.rawValue)" } ?? "")"
      )
      for violation in violations.prefix(5) { print("  \(violation)") }
    }
    exit(failed.isEmpty ? 0 : 1)
  }

  /// Prints what a trial costs in a sweep of a tenth of `count` trials and in one of all, without and with early stopping.
  private static func tellCost(ofDecisions count: Int, _ method: String) -> Never {
    do {
      for stopsEarly in [false, true] {
        for trials in [max(1, count / 10), count] {
          let cost = try DecisionCost(method: method, stopsEarly: stopsEarly).measure(trials: trials)
          print(
            "\(trials) trials, \(method)\(stopsEarly ? ", asha" : ""): "
              + "\(String(format: "%.1f", cost)) µs of processor time a trial")
        }
      }
      exit(0)
    } catch {
      FileHandle.standardError.write(Data("martlet-simulate: \(error)\n".utf8))
      exit(1)
    }
  }
}
