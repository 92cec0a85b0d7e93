// The data of charts over parameters: slice, contour, rank, parallel coordinates.

public import MartletModel
import OrderedCollections

/// The losses over one parameter.
public struct SliceChart: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var trial: Int
    public var value: JSONValue
    public var metric: Double
    /// It meets every constraint.
    public var isFeasible: Bool
  }

  /// The mean over all other parameters, by the forest.
  public struct Mean: Hashable, Sendable {
    public var value: JSONValue
    public var metric: Double
  }

  public var axis: AnalysisAxis
  /// Ascending by trial; without those in which the parameter had no value.
  public var rows: [Row]
  /// Ascending along the axis; empty without a model.
  public var means: [Mean]

  public var json: JSONValue {
    [
      "axis": axis.json,
      "trials": .array(rows.map { .int(Int64($0.trial)) }), "values": .array(rows.map(\.value)),
      "metric": .array(rows.map { .double($0.metric) }),
      "feasible": .array(rows.map { .bool($0.isFeasible) }),
      "mean": ["values": .array(means.map(\.value)), "metric": .array(means.map { .double($0.metric) })],
    ]
  }
}

/// The losses over two parameters.
public struct ContourChart: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var trial: Int
    public var x: JSONValue
    public var y: JSONValue
    public var metric: Double
    /// Where the trial stands among all in the space: 0 the best, 1 the worst; equals share the middle of their places.
    public var rank: Double
    /// It meets every constraint.
    public var isFeasible: Bool
  }

  public var x: AnalysisAxis
  public var y: AnalysisAxis
  public var rows: [Row]
  /// The values the grid stands at.
  public var gridX: [JSONValue]
  public var gridY: [JSONValue]
  /// The mean over all other parameters by the forest: `surface[j][i]` at `gridY[j]` and `gridX[i]`. Empty without a
  /// model.
  public var surface: [[Double]]

  public var json: JSONValue {
    ranks.merging(["surface": .array(surface.map { .array($0.map(JSONValue.double)) })])
  }

  /// The same without the surface.
  public var ranks: JSONValue {
    [
      "x": x.json, "y": y.json, "trials": .array(rows.map { .int(Int64($0.trial)) }),
      "x_values": .array(rows.map(\.x)), "y_values": .array(rows.map(\.y)),
      "metric": .array(rows.map { .double($0.metric) }), "rank": .array(rows.map { .double($0.rank) }),
      "feasible": .array(rows.map { .bool($0.isFeasible) }),
      "grid_x": .array(gridX), "grid_y": .array(gridY),
    ]
  }
}

/// All trials as lines over all parameters.
public struct ParallelChart: Hashable, Sendable {
  public var axes: [AnalysisAxis]
  /// Ascending.
  public var trials: [Int]
  /// By axis, by trial, the place on the axis in 0...1; NaN: no value.
  public var positions: [[Double]]
  /// By axis, by trial, the value; null: none.
  public var values: [[JSONValue]]
  /// By trial.
  public var metric: [Double]
  /// By trial, whether it meets every constraint.
  public var feasible: [Bool]

  public var json: JSONValue {
    [
      "axes": .array(axes.map(\.json)), "trials": .array(trials.map { .int(Int64($0)) }),
      "positions": .array(
        positions.map { .array($0.map { $0.isNaN ? .null : .double($0) }) }),
      "values": .array(values.map(JSONValue.array)), "metric": .array(metric.map(JSONValue.double)),
      "feasible": .array(feasible.map(JSONValue.bool)),
    ]
  }
}

extension SweepAnalysis {
  /// - Returns: nil for a name that is no searched parameter.
  public func slice(_ name: String, objective: Int = 0, model: ResponseModel? = nil) -> SliceChart? {
    guard let axis = axis(named: name) else { return nil }
    let parameter = history.cube.parameter(of: axis)
    let rows = completed.indices.filter { !columns[axis][$0].isNaN }.map { place in
      SliceChart.Row(
        trial: completed[place].trial, value: parameter.domain.value(at: columns[axis][place]),
        metric: value(completed[place].losses[objective], objective), isFeasible: completed[place].isFeasible)
    }
    let places = grid(axis)
    let means = model.map { model in
      let line = model.means(along: axis)
      return places.map {
        SliceChart.Mean(
          value: parameter.domain.value(at: $0),
          metric: value(line[Int(model.axes[axis].bin(of: $0))], objective))
      }
    }
    return SliceChart(axis: AnalysisAxis(parameter), rows: rows, means: means ?? [])
  }

  /// The data of a contour chart, and of a chart of ranks.
  ///
  /// - Returns: nil for a name that is no searched parameter, or twice the same.
  public func contour(
    x: String, y: String, objective: Int = 0, model: ResponseModel? = nil
  ) -> ContourChart? {
    guard let across = axis(named: x), let up = axis(named: y), across != up else { return nil }
    let (first, second) = (history.cube.parameter(of: across), history.cube.parameter(of: up))
    let ranks = ranks(objective)
    let rows = completed.indices
      .filter { !columns[across][$0].isNaN && !columns[up][$0].isNaN }
      .map { place in
        ContourChart.Row(
          trial: completed[place].trial, x: first.domain.value(at: columns[across][place]),
          y: second.domain.value(at: columns[up][place]),
          metric: value(completed[place].losses[objective], objective), rank: ranks[place],
          isFeasible: completed[place].isFeasible)
      }
    let (gridX, gridY) = (grid(across), grid(up))
    let surface = model.map { model in
      let means = model.means(along: across, up)
      let width = model.axes[up].count
      return gridY.map { y in
        gridX.map { x in
          value(
            means[Int(model.axes[across].bin(of: x)) * width + Int(model.axes[up].bin(of: y))], objective)
        }
      }
    }
    return ContourChart(
      x: AnalysisAxis(first), y: AnalysisAxis(second), rows: rows,
      gridX: gridX.map(first.domain.value), gridY: gridY.map(second.domain.value), surface: surface ?? [])
  }

  /// Coordinates spread over an axis: every value where there are few, else as many as a forest tells apart.
  private func grid(_ axis: Int) -> [Double] {
    if let values = history.cube.values(on: axis, atMost: AxisBins.most) { return values }
    return (0..<AxisBins.most).map { (Double($0) + 0.5) / Double(AxisBins.most) }
  }

  /// For each completed trial its place among all, 0 the best and 1 the worst; equals share the middle of their places.
  func ranks(_ objective: Int) -> [Double] {
    let order = completed.indices.sorted { completed[$0].losses[objective] < completed[$1].losses[objective] }
    var ranks = Array(repeating: 0.0, count: order.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      let loss = completed[order[start]].losses[objective]
      while end < order.count, completed[order[end]].losses[objective] == loss { end += 1 }
      let middle = Double(start + end - 1) / 2 / Double(max(order.count - 1, 1))
      for place in start..<end { ranks[order[place]] = middle }
      start = end
    }
    return ranks
  }

  public func parallelCoordinates(objective: Int = 0) -> ParallelChart {
    let cube = history.cube
    return ParallelChart(
      axes: cube.axes.indices.map { AnalysisAxis(cube.parameter(of: $0)) },
      trials: completed.map(\.trial),
      positions: cube.axes.indices.map { axis in
        guard case .categorical(let count) = cube.axes[axis].kind else { return columns[axis] }
        return columns[axis].map { $0 / Double(max(count - 1, 1)) }
      },
      values: cube.axes.indices.map { axis in
        let domain = cube.parameter(of: axis).domain
        return columns[axis].map { $0.isNaN ? .null : domain.value(at: $0) }
      },
      metric: completed.map { value($0.losses[objective], objective) },
      feasible: completed.map(\.isFeasible))
  }
}
