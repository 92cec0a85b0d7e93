// NVIDIA's program, where its library cannot be opened; and what stands in for it in tests.

import Foundation
import MartletModel

/// One call a sample. After a call that failed, the program is left alone for a minute.
final class NvidiaSMI: GPUSource {
  private static let fields = "index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw"
  private static let patience = Duration.seconds(10)
  /// Seconds.
  private static let rest = 60.0

  let name = "nvidia-smi"
  let kind = FoundDevice.Kind.cuda
  private let program: ChildProcess
  private var restsUntil = -Double.infinity

  init(program: String, environment: [String: String]) {
    self.program = ChildProcess(
      program, ["--query-gpu=\(Self.fields)", "--format=csv,noheader,nounits"], environment: environment)
  }

  func find() -> [FoundDevice] {
    var program = program
    program.arguments[0] = "--query-gpu=index,name,uuid,memory.total"
    guard let answer = try? program.run(within: Self.patience, limit: 1 << 20), answer.isSuccess else {
      return []
    }
    return Self.devices(String(decoding: answer.output, as: UTF8.self))
  }

  /// Lines like `0, NVIDIA H100 80GB HBM3, GPU-5a4b…, 81559`; memory is in MiB.
  static func devices(_ text: String) -> [FoundDevice] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard words.count >= 4, let index = Int(words[0]), index >= 0 else { return nil }
      return FoundDevice(
        kind: .cuda, driverIndex: index, name: words[1], uuid: words[2].hasPrefix("[") ? "" : words[2],
        memory: Int64(words[3]).flatMap { (0...1 << 24).contains($0) ? $0 << 20 : nil })
    }
  }

  func read(at now: Double) -> [GPUReading] {
    guard now >= restsUntil else { return [] }
    let answer = try? program.run(within: Self.patience, limit: 1 << 20)
    guard let answer, answer.isSuccess else {
      restsUntil = now + Self.rest
      return []
    }
    return Self.readings(String(decoding: answer.output, as: UTF8.self))
  }

  /// Lines of `fields` with commas between; memory is in MiB. What a card does not tell is in brackets: `[N/A]`.
  static func readings(_ text: String) -> [GPUReading] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.drop { $0 == " " }.prefix { $0 != " " }
      }
      guard words.count >= 6, let index = Int(words[0]) else { return nil }
      func number(_ place: Int) -> Double? { Double(words[place]).flatMap { $0.isFinite ? $0 : nil } }
      return GPUReading(
        index: index, utilization: number(1), usedBytes: number(2).map { $0 * 1_048_576 },
        allBytes: number(3).map { $0 * 1_048_576 }, temperature: number(4), power: number(5))
    }
  }
}
