// Metrics of a run as a chart in the terminal, drawn once or for as long as the run goes on.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

/// `martlet metrics … --plot`: how a chart looks, and where its numbers come from.
struct ChartOptions: ParsableArguments {
  @Flag(name: .long, help: "Draw again as points come, until the run has ended.")
  var follow = false

  @Flag(name: .long, help: "The vertical axis by powers of ten; only values above 0 are shown.")
  var log = false

  @Option(
    name: .long, help: ArgumentHelp("Columns of the chart. (default: the terminal's, or 80)", valueName: "n"))
  var width: Int?

  @Option(name: .long, help: ArgumentHelp("Lines of the chart. (default: 20)", valueName: "n"))
  var height: Int?

  @Option(name: .long, help: ArgumentHelp("Draw from this step on.", valueName: "n"))
  var fromStep: Int64?

  @Option(name: .long, help: ArgumentHelp("Draw up to this step.", valueName: "n"))
  var toStep: Int64?

  @Option(
    name: .long, help: ArgumentHelp("Draw moving averages: the past's weight, 0 to below 1.", valueName: "w"))
  var smooth: Double?

  @Flag(name: .long, help: "Draw in ASCII, whatever the terminal may show.")
  var ascii = false

  /// An option that was given though there is no chart.
  var given: String? {
    if log { return "--log" }
    if width != nil { return "--width" }
    if height != nil { return "--height" }
    if fromStep != nil { return "--from-step" }
    if toStep != nil { return "--to-step" }
    if smooth != nil { return "--smooth" }
    return ascii ? "--ascii" : nil
  }

  func validate() throws {
    if let width, !(Plot.narrowest...1_000).contains(width) {
      throw ValidationError("--width must be \(Plot.narrowest) to 1000, not \(width).")
    }
    if let height, !(Plot.lowest...1_000).contains(height) {
      throw ValidationError("--height must be \(Plot.lowest) to 1000, not \(height).")
    }
    if let smooth, !(0..<1).contains(smooth) {
      throw ValidationError("--smooth must be at least 0 and below 1, not \(smooth).")
    }
    if let fromStep, let toStep, fromStep > toStep {
      throw ValidationError("--from-step \(fromStep) is above --to-step \(toStep): no step lies between.")
    }
    if follow, !Terminal.outputIsTerminal {
      throw ValidationError("--follow draws again and again: that needs a terminal. --plot draws once.")
    }
    if follow, CallerEnvironment.current["TERM"] == "dumb" {
      throw ValidationError(
        "--follow draws over what it drew, which this terminal (TERM=dumb) cannot. --plot draws once.")
    }
  }

  /// Draws these metrics of a run, once or until it has ended.
  func draw(_ names: [String], of run: JSONValue, _ client: Client) async throws {
    guard follow else {
      let width = width ?? max(Plot.narrowest, Terminal.outputWidth ?? 80)
      let answer = try await client.send(.post, "/series", body: question(names, of: run, width: width))
      return try Terminal.say(
        lines(names, in: answer, width: width, height: height ?? 20).joined(separator: "\n"))
    }
    let interrupts = Interrupts()
    var patient = PatientClient(client, interrupts: interrupts)
    var drawn = 0
    var complaints = 0
    while true {
      // Asked first: what is read after the end is all there will be.
      let state = try await patient.get("/runs/\(run.id)")
      // The terminal may have been made smaller or larger.
      let width = followedWidth
      let answer = try await patient.send(
        .post, "/series", body: question(names, of: run, width: width))
      let shown = Terminal.outputHeight.map { max(1, $0 - 1) } ?? .max
      let lines = lines(names, in: answer, width: width, height: followedHeight).prefix(shown)
      // What was complained of stands below the chart: nobody gets back past it.
      if patient.complaints > complaints { drawn = 0 }
      complaints = patient.complaints
      let back = drawn > 0 ? "\u{1B}[\(min(drawn, shown))A\u{1B}[J" : ""
      // Without wrapping (DECAWM): a line that is too long must not become two.
      try Terminal.write(
        "\u{1B}[?7l" + back + lines.joined(separator: "\n") + "\n\u{1B}[?7h", to: STDOUT_FILENO)
      drawn = lines.count
      if state.runState?.isEnd ?? true { return }
      if interrupts.arePending { throw ExitStatus.interrupted.code }
      await interrupts.pause(for: .seconds(1))
      if interrupts.arePending { throw ExitStatus.interrupted.code }
    }
  }

  private func question(_ names: [String], of run: JSONValue, width: Int) -> JSONValue {
    var body: JSONObject = [
      "runs": [.string(run.id)], "keys": JSONValue(names), "buckets": .int(Int64(2 * width)),
    ]
    body["from_step"] = fromStep.map(JSONValue.int)
    body["to_step"] = toStep.map(JSONValue.int)
    body["ema"] = smooth.map(JSONValue.double)
    return .object(body)
  }

  private func lines(_ names: [String], in answer: JSONValue, width: Int, height: Int) -> [String] {
    let series = answer["series"]?.array ?? []
    let plot = Plot(
      curves: names.compactMap { name in
        series.first { $0["key"]?.string == name }.map { Plot.Curve(name: name, points: Self.points(of: $0)) }
      },
      width: width, height: height, isLog: log,
      isUnicode: !ascii && Terminal.showsUnicode, isColored: Terminal.usesColor)
    return plot.lines()
  }

  /// What is drawn again must not be wider than the terminal, whatever was asked for.
  private var followedWidth: Int {
    let terminal = Terminal.outputWidth ?? 80
    return max(Plot.narrowest, min(width ?? terminal, terminal))
  }

  /// Nor higher: nobody gets back to its begin.
  private var followedHeight: Int {
    guard let rows = Terminal.outputHeight else { return height ?? 20 }
    // The notes take up to two lines, and the cursor one.
    return max(Plot.lowest, min(height ?? 20, rows - 3))
  }

  private static func points(of series: JSONValue) -> [Plot.Point] {
    func numbers(_ name: String) -> [Double]? { series[name]?.array?.map { $0.double ?? .nan } }
    let steps = numbers("steps") ?? []
    if let values = numbers("ema") ?? numbers("values") {
      return zip(steps, values).map { Plot.Point(x: $0, value: $1) }
    }
    guard let first = numbers("first"), let last = numbers("last"), let low = numbers("min"),
      let high = numbers("max"), [first, last, low, high].allSatisfy({ $0.count == steps.count })
    else { return [] }
    return steps.indices.map {
      Plot.Point(x: steps[$0], first: first[$0], last: last[$0], low: low[$0], high: high[$0])
    }
  }
}

extension Terminal {
  /// Lines of the terminal behind standard output; nil when it does not say.
  static var outputHeight: Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }

  /// Whether the locale says that more than ASCII can be shown (POSIX: the first of these that is set counts).
  static var showsUnicode: Bool {
    let environment = CallerEnvironment.current
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    let name = (locale ?? "").lowercased()
    return name.contains("utf-8") || name.contains("utf8")
  }
}
