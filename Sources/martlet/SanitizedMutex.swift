#if THREAD_SANITIZER
  import MartletModel

  /// Before `Synchronization.Mutex`, in the thread sanitizer's builds.
  typealias Mutex = MartletModel.Mutex
#endif
