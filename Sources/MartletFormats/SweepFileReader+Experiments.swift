// Hex's form: a list of experiments, each with a name and its hyperparameters.

import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// What the configuration of such a sweep says beside its experiments: for the program, and for people.
  private static let describing = [
    "num_epochs", "batch_size", "target_examples", "device", "num_experiments", "timestamp", "parameters",
  ]

  /// - Parameter list: of the experiments; the file itself when it is nothing but the list.
  mutating func readExperiments(_ file: FileSection, list: FileNode) -> SweepSpecification? {
    let own = ["experiments", "experiment_name", "program", "command"] + Self.describing
    checkTopLevelKeys(of: file, known: own + Self.commonKeys)
    guard let items = list.items, !items.isEmpty else {
      flaws.append(
        Flaw(
          at: list.mark, key: "experiments", expected: "a list",
          message:
            "'experiments' must be a list of experiments, like [{name: base, hyperparameters: {lr: 0.1}}]"))
      return nil
    }
    let experiments = items.enumerated().compactMap { experiment($1, index: $0) }
    guard experiments.count == items.count, let placed = space(of: experiments, in: file, at: list.mark)
    else {
      return nil
    }
    var inner = file
    inner.members.removeAll { Self.describing.contains($0.key) || $0.key == "experiments" }
    if let name = file["experiment_name"] {
      inner.members.append(Member(key: "name", mark: name.mark, value: name.value))
    }
    let method = method(file, standard: pointsMethod)
    let objectives =
      file["metric"] == nil && file["objectives"] == nil
      ? [Objective(metric: "val_loss", goal: .minimize)] : objectives(file)
    var program = text(file["program"], in: file)
    let command = command(file, program: &program)
    var specification = specification(
      inner, method: method, objectives: objectives, space: placed, program: program, command: command)
    let points = points(
      experiments.map(\.node), key: "experiments", in: placed)
    guard flaws.isEmpty else { return nil }
    specification?.points = points
    if file["run_cap"] == nil, file["budget"] == nil { specification?.runCap = points.count }
    let kept = file.members.filter { Self.describing.contains($0.key) }
    for member in kept { specification?.metadata[member.key] = member.value.value }
    if let first = kept.first {
      notes.append(
        "line \(first.mark.line): \(kept.map { "'\($0.key)'" }.joined(separator: ", ")) "
          + "\(kept.count == 1 ? "is" : "are") kept with the sweep as written: what the program needs of it "
          + "belongs into 'command' or the hyperparameters")
    }
    specification?.notes = notes
    return specification
  }

  private struct Experiment {
    /// As a point of a list: `{name:, parameters:}`.
    var node: FileNode
    var values: [Member]
  }

  private mutating func experiment(_ item: FileNode, index: Int) -> Experiment? {
    let path = "experiments[\(index)]"
    guard let members = item.members else {
      flaws.append(
        Flaw(
          at: item.mark, key: path, expected: "a name and hyperparameters",
          message: "'\(path)' must have a name and hyperparameters, not be \(words(for: item))"))
      return nil
    }
    let section = FileSection(members: members, mark: item.mark, path: path)
    checkKeys(
      of: section, known: ["name", "experiment_name", "hyperparameters", "description"])
    guard
      let place = section["hyperparameters"]
        ?? require("hyperparameters", in: section, expected: "its values"),
      let values = self.section(place, in: section, example: "{learning_rate: 0.001}")
    else { return nil }
    let name = section["name"] ?? section["experiment_name"]
    var point = [Member(key: "parameters", mark: place.mark, value: place.value)]
    if let name { point.append(Member(key: "name", mark: name.mark, value: name.value)) }
    return Experiment(node: FileNode(mark: item.mark, content: .object(point)), values: values.members)
  }

  /// Every value that an experiment gives a hyperparameter, in their order.
  private mutating func space(
    of experiments: [Experiment], in file: FileSection, at mark: FileMark
  ) -> PlacedSpace? {
    var values: OrderedDictionary<String, (mark: FileMark, values: [JSONValue])> = [:]
    for experiment in experiments {
      for member in experiment.values {
        let value = member.value.value
        if values[member.key]?.values.contains(value) != true {
          values[member.key, default: (member.mark, [])].values.append(value)
        }
      }
    }
    for (index, experiment) in experiments.enumerated() {
      for name in values.keys where !experiment.values.contains(where: { $0.key == name }) {
        flaws.append(
          Flaw(
            at: experiment.node.mark, key: "experiments[\(index)]", expected: "a value for '\(name)'",
            message: "the experiment has no value for '\(name)', which others have"))
        return nil
      }
    }
    let placed = values.map { name, entry in
      PlacedParameter(
        parameter: Parameter(
          name, entry.values.count == 1 ? .constant(entry.values[0]) : .categorical(entry.values)),
        mark: entry.mark, path: "experiments.\(name)")
    }
    return space(placed, of: file, at: mark, key: "experiments")
  }
}
