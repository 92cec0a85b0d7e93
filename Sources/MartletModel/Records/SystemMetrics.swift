// System metrics: what a machine and a run's processes use.

/// Names and units of system metrics; each is sampled every few seconds.
public enum SystemMetric {
  /// `%`, `bytes`, `bytes/s`, `°C`, `W`, or empty for a count and for names that are not known.
  public static func unit(of name: String) -> String {
    if name.hasPrefix("gpu.") {
      switch name.split(separator: "/").last {
      case "utilization", "memory_percent": return "%"
      case "memory": return "bytes"
      case "temperature": return "°C"
      case "power": return "W"
      default: return ""
      }
    }
    switch name {
    case "cpu", "memory", "process/cpu": return "%"
    case "memory/used", "process/memory": return "bytes"
    case "disk/read", "disk/write", "network/sent", "network/received": return "bytes/s"
    default: return name.hasPrefix("disk/") && name.hasSuffix("used") ? "%" : ""
    }
  }
}

/// What was sampled of a run, in short.
public struct SystemOverview: Sendable {
  /// By name.
  public var metrics: [MetricSummary]
  /// Milliseconds since 1970 of the first and the last sample; nil when there is none.
  public var from: Int64?
  public var to: Int64?

  public init(metrics: [MetricSummary], from: Int64?, to: Int64?) {
    (self.metrics, self.from, self.to) = (metrics, from, to)
  }

  public var json: JSONValue {
    let items = metrics.map { metric -> JSONValue in
      [
        "name": .string(metric.name), "unit": .string(SystemMetric.unit(of: metric.name)),
        "last": .double(metric.last), "mean": JSONValue(metric.mean), "min": JSONValue(metric.min),
        "max": JSONValue(metric.max),
      ]
    }
    return ["metrics": .array(items), "from": JSONValue(from), "to": JSONValue(to)]
  }
}
