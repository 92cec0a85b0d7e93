// What a trial needs, as its sweep's file says it: numbers, or expressions over the trial's parameters.

package import MartletModel
package import MartletSearch

/// From parameters to needs.
package struct NeedsRule: Sendable, Hashable {
  /// A number, or what computes one.
  package enum Amount: Sendable, Hashable {
    case number(Int64)
    case expression(MetricExpression, text: String)

    /// Reads an expression; one without names is a number.
    ///
    /// - Throws: `ExpressionError`.
    package init(parsing text: String) throws(ExpressionError) {
      self = .expression(try MetricExpression(parsingParameters: text), text: text)
    }

    /// The names in it: parameters, and units.
    package var names: [String] {
      switch self {
      case .number: []
      case .expression(let expression, _): expression.names
      }
    }
  }

  /// Nil: nothing was said; none, unless whoever makes a plan of it knows better.
  package var devices: Amount?
  /// Bytes.
  package var deviceMemory: Amount?
  package var deviceSlots: Amount
  package var sameHost: Bool
  /// Bytes.
  package var memory: Amount?
  /// Limits beside memory: processors, bytes of output, open files.
  package var cpus: Amount?
  package var output: Amount?
  package var openFiles: Amount?

  package init(
    devices: Amount? = nil, deviceMemory: Amount? = nil, deviceSlots: Amount = .number(1),
    sameHost: Bool = true, memory: Amount? = nil
  ) {
    self.devices = devices
    self.deviceMemory = deviceMemory
    self.deviceSlots = deviceSlots
    self.sameHost = sameHost
    self.memory = memory
  }

  /// What is the same for every trial.
  package init(_ needs: Needs) {
    self.init(
      devices: .number(Int64(needs.devices)), deviceMemory: needs.deviceMemory.map(Amount.number),
      deviceSlots: .number(Int64(needs.deviceSlots)), sameHost: needs.sameHost,
      memory: needs.memory > 0 ? .number(needs.memory) : nil)
  }

  /// Why the needs of a trial cannot be told.
  package struct Unclear: Error, Hashable {
    /// A sentence.
    package var reason: String

    package init(reason: String) { self.reason = reason }
  }

  /// Names that stand for numbers of bytes, unless a parameter is called so.
  package static let units: [String: Double] = [
    "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40,
  ]

  package func needs(of point: Point) -> Result<Needs, Unclear> {
    do throws(Unclear) {
      let needs = Needs(
        devices: Int(try Self.value(devices ?? .number(0), "gpus", 0...65_536, point)),
        deviceMemory: try Self.bytes(deviceMemory, "gpu_memory", point),
        deviceSlots: Int(try Self.value(deviceSlots, "gpu_slots", 1...65_536, point)), sameHost: sameHost,
        memory: try Self.bytes(memory, "memory", point) ?? 0)
      _ = try clearLimits(of: point)
      return .success(needs)
    } catch {
      return .failure(error)
    }
  }

  /// 16 TiB at most: sums of them never overflow.
  static func bytes(_ amount: Amount?, _ key: String, _ point: Point) throws(Unclear) -> Int64? {
    guard let amount else { return nil }
    return try value(amount, key, 0...(1 << 44), point)
  }

  static func value(
    _ amount: Amount, _ key: String, _ range: ClosedRange<Int64>, _ point: Point
  ) throws(Unclear) -> Int64 {
    switch amount {
    case .number(let number):
      guard range.contains(number) else {
        throw Unclear(
          reason: "'\(key)' is \(number), which is not in \(range.lowerBound)…\(range.upperBound).")
      }
      return number
    case .expression(let expression, let text):
      var unknown: String?
      let value = expression.evaluated { name in
        if let value = point[name] {
          if let number = value.double { return number }
          unknown = unknown ?? "the parameter '\(name)' is \(value.text), which is no number"
          return nil
        }
        if let unit = units[name] { return unit }
        unknown = unknown ?? "there is no parameter '\(name)'"
        return nil
      }
      guard let value else {
        throw Unclear(reason: "'\(key): \(text)' has no value: \(unknown ?? "it is not defined").")
      }
      // Bytes need not come out whole; devices must.
      let isCount = !["gpu_memory", "memory", "output"].contains(key)
      guard value.isFinite, value >= Double(range.lowerBound), value <= Double(range.upperBound),
        !isCount || value == value.rounded()
      else {
        let kind = isCount ? "a whole number" : "a number"
        throw Unclear(
          reason: "'\(key): \(text)' is \(value), and must be \(kind) from \(range.lowerBound) on.")
      }
      return Int64(value.rounded(.up))
    }
  }
}
