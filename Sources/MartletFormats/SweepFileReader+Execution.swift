// How trials are executed: what they need, and what follows when they go wrong.

import Foundation
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  private static let needsKeys = [
    "gpus", "gpu_memory", "gpu_slots", "same_host", "memory", "cpus", "output", "open_files",
  ]

  /// - Parameter parameters: names that expressions may hold; nil: they could not be read.
  mutating func needs(_ file: FileSection, parameters: [String]?) -> NeedsRule? {
    guard let section = section(file["resources"], in: file, example: "{gpus: 1}") else { return nil }
    checkKeys(of: section, known: Self.needsKeys)
    var rule = NeedsRule()
    rule.devices = amount(section["gpus"], in: section, atLeast: 0, parameters)
    rule.deviceMemory = bytes(section["gpu_memory"], in: section, parameters)
    if let amount = amount(section["gpu_slots"], in: section, atLeast: 1, parameters) {
      rule.deviceSlots = amount
    }
    rule.memory = bytes(section["memory"], in: section, parameters)
    rule.cpus = amount(section["cpus"], in: section, atLeast: 1, parameters)
    rule.output = bytes(section["output"], in: section, parameters)
    rule.openFiles = amount(section["open_files"], in: section, atLeast: 16, parameters)
    if let word = choice(section["same_host"], in: section, among: ["true", "false"]) {
      rule.sameHost = word == "true"
    }
    return rule
  }

  /// A whole number, or an expression over parameters like `tp * pp`.
  private mutating func amount(
    _ member: Member?, in section: FileSection, atLeast least: Int, _ parameters: [String]?
  ) -> NeedsRule.Amount? {
    guard let member else { return nil }
    if case .scalar(.string(let text), _) = member.value.content {
      return expression(text, of: member, in: section, parameters)
    }
    return whole(member, in: section, atLeast: least).map { .number(Int64($0)) }
  }

  /// A number of bytes, text like `20GB`, or an expression like `(2 + layers / 8) * GB`.
  private mutating func bytes(
    _ member: Member?, in section: FileSection, _ parameters: [String]?
  ) -> NeedsRule.Amount? {
    guard let member else { return nil }
    guard case .scalar(.string(let text), _) = member.value.content else {
      return whole(member, in: section, atLeast: 1).map { .number(Int64($0)) }
    }
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces)
    if let number = Double(digits), let factor = NeedsRule.units[unit], number > 0, number * factor < 0x1p44 {
      return .number(Int64((number * factor).rounded(.up)))
    }
    return expression(text, of: member, in: section, parameters)
  }

  private mutating func expression(
    _ text: String, of member: Member, in section: FileSection, _ parameters: [String]?
  ) -> NeedsRule.Amount? {
    let key = section.path(member.key)
    do throws(ExpressionError) {
      let amount = try NeedsRule.Amount(parsing: text)
      let names = amount.names
      if let parameters,
        let unknown = names.first(where: { !parameters.contains($0) && NeedsRule.units[$0] == nil })
      {
        flaws.append(
          Flaw(
            at: member.value.mark, key: key, nearest: suggestion(for: unknown, among: parameters),
            message: "'\(key)': there is no parameter '\(unknown)'"))
        return nil
      }
      return amount
    } catch {
      let hint = error.hint.map { " \($0)" } ?? ""
      flaws.append(Flaw(at: member.value.mark, key: key, message: "'\(key)': \(error.message)\(hint)"))
      return nil
    }
  }

  /// `retries: 2` for whatever goes wrong, or by cause.
  mutating func retries(_ file: FileSection) -> RetryPolicy? {
    let pause = seconds(file["retry_pause"], in: file, mayBeZero: true)
    guard let member = file["retries"] else { return pause.map { RetryPolicy(pause: $0) } }
    var policy = RetryPolicy()
    if let pause { policy.pause = pause }
    guard let members = member.value.members else {
      guard let count = whole(member, in: file, atLeast: 0) else { return nil }
      policy.limits = Dictionary(uniqueKeysWithValues: Fault.allCases.map { ($0, count) })
      return policy
    }
    let section = FileSection(members: members, mark: member.value.mark, path: file.path("retries"))
    checkKeys(of: section, known: Fault.allCases.map(\.rawValue))
    for fault in Fault.allCases {
      if let count = whole(section[fault.rawValue], in: section, atLeast: 0) { policy.limits[fault] = count }
    }
    return policy
  }
}
