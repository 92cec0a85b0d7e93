// The methods there are.

import MartletModel

private let samplers: [any Sampler.Type] = [
  RandomSampler.self, GridSampler.self, SobolSampler.self, PointsSampler.self,
  GPSampler.self,
  CMAESSampler.self, DifferentialEvolutionSampler.self, GeneticSampler.self,
  TabuSampler.self, AnnealSampler.self,
  NSGA2Sampler.self, NSGA3Sampler.self, PopulationBasedSampler.self,
  TPESampler.self,
]

/// The methods a search knows.
public let samplerMethods: [String] = samplers.map { $0.method }

/// - Throws: `SearchError.unknownMethod`.
func samplerType(of method: String) throws(SearchError) -> any Sampler.Type {
  guard let sampler = samplers.first(where: { $0.method == method }) else {
    throw .unknownMethod(method, nearest: nearest(to: method, in: samplerMethods))
  }
  return sampler
}
