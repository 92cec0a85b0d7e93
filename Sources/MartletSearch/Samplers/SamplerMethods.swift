// The methods there are.

import MartletModel

private let samplers: [any Sampler.Type] = [
  RandomSampler.self, GridSampler.self, SobolSampler.self, PointsSampler.self,
  GPSampler.self,
  CMAESSampler.self, DifferentialEvolutionSampler.self, GeneticSampler.self,
  TabuSampler.self, AnnealSampler.self,
  NSGA2Sampler.self, NSGA3Sampler.self, PopulationBasedSampler.self,
  TPESampler.self, AutoSampler.self,
]

/// The methods a search knows.
public let samplerMethods: [String] = samplers.map { $0.method }

/// Names that sweep files of others give to a method of ours.
public let methodAliases = ["bayes": AutoSampler.method, "bayesian": AutoSampler.method]

/// - Throws: `SearchError.unknownMethod`.
func samplerType(of method: String) throws(SearchError) -> any Sampler.Type {
  let name = methodAliases[method] ?? method
  guard let sampler = samplers.first(where: { $0.method == name }) else {
    throw .unknownMethod(method, nearest: nearest(to: method, in: samplerMethods))
  }
  return sampler
}
