// Cells in which a function stands still: what is made of equal losses, and how a search leaves them.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct PlateausTests {
  private func space() throws -> Space {
    try Space([
      Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("y", .real(.uniform(min: 0, max: 1))),
      Parameter("kind", .categorical(["a", "b"])),
    ])
  }

  private func plateaus(_ points: [[Double]], _ losses: [Double], logWeight: Double = 0) throws -> Plateaus {
    let features = KernelFeatures(UnitCube(try space()))
    var parameters = KernelParameters(axes: 3)
    parameters.logWeights = Array(repeating: logWeight, count: 3)
    return Plateaus(points, losses: losses, features: features, kernel: Kernel(features, parameters))
  }

  @Test func theChanceToLeaveGrowsWithTheDistance() throws {
    let plateaus = try plateaus([[0.2, 0.3, 0], [0.4, 0.4, 0], [0.9, 0.9, 0]], [1, 1, 2])
    #expect(plateaus.boxes == [Plateaus.Box(lower: [0.2, 0.3, 0], upper: [0.4, 0.4, 0])])
    // As far beyond as the box is wide: one half; on both axes: a quarter stays.
    #expect(abs(plateaus.logChance([0.6, 0.35, 0]) - Elementary.log(0.5)) < 1e-12)
    #expect(abs(plateaus.logChance([0, 0.2, 0]) - Elementary.log(0.75)) < 1e-12)
    #expect(plateaus.logChance([0.3, 0.35, 0]) < -13)
    #expect(plateaus.logChance([0.3, 0.35, 1]) == 0)
  }

  @Test(arguments: [[0.55, 0.35, 0], [0.1, 0.6, 0], [0.45, 0.1, 0]])
  func theSlopesAreThoseOfTheChance(point: [Double]) throws {
    let plateaus = try plateaus(
      [[0.2, 0.3, 0], [0.4, 0.4, 0], [0.6, 0.5, 0], [0.7, 0.7, 0], [0.9, 0.9, 0], [0, 0.9, 0]],
      [1, 1, 2, 2, 3, 4])
    #expect(plateaus.boxes.count == 2)
    var slopes = [0.0, 0.0, 0.0]
    plateaus.addSlopes(point, to: &slopes)
    for axis in 0..<2 {
      var (above, below) = (point, point)
      above[axis] += 1e-6
      below[axis] -= 1e-6
      let expected = (plateaus.logChance(above) - plateaus.logChance(below)) / 2e-6
      #expect(abs(slopes[axis] - expected) < 1e-6 * (1 + abs(expected)))
    }
  }

  @Test func whatIsNotOneCellIsNoBox() throws {
    let far: [[Double]] = [[0.1, 0.1, 0], [0.9, 0.9, 0]]
    // Points the kernel holds to be unlike; another loss between; other categories; the worse half.
    #expect(try plateaus(far + [[0.1, 0.9, 0]], [1, 1, 2], logWeight: 3).boxes.isEmpty)
    #expect(try plateaus(far + [[0.5, 0.5, 0]], [1, 1, 2]).boxes.isEmpty)
    #expect(try plateaus([[0.1, 0.1, 0], [0.2, 0.1, 1], [0.5, 0.5, 0]], [1, 1, 2]).boxes.isEmpty)
    #expect(try plateaus(far + [[0.1, 0.9, 0], [0.9, 0.1, 0]], [2, 2, 0, 1]).boxes.isEmpty)
  }

  @Test func aSearchAsksForMoreCells() throws {
    func distinctLosses(_ leaves: Bool, seed: UInt64) throws -> Int {
      let problem = SearchProblem(
        space: try space(), seed: seed,
        options: ["candidates": 128, "starts": 3, "margin": 0, "plateaus": .bool(leaves)])
      var search = try Search(method: "gp", problem: problem)
      var losses: Set<Double> = []
      for trial in 0..<30 {
        guard case .trial(let suggestion) = search.ask(trial: trial) else { break }
        let x = (suggestion.coordinates[0] * 4).rounded() / 4 - 0.6
        let y = (suggestion.coordinates[1] * 4).rounded() / 4 - 0.2
        let loss = x * x + 0.7 * y * y + 0.01 * x * y + 0.1 * suggestion.coordinates[2]
        losses.insert(loss)
        search.tell(trial: trial, state: .complete, losses: [loss])
      }
      return losses.count
    }
    for seed: UInt64 in [1, 4] {
      #expect(try distinctLosses(true, seed: seed) > distinctLosses(false, seed: seed))
    }
  }
}
