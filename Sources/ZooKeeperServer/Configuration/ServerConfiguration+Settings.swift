import ServerCore
import Zab

extension ServerConfiguration {
  /// The settings of the core.
  var coreSettings: ServerSettings {
    var settings = ServerSettings()
    settings.tickTimeMilliseconds = Int64(tickTimeMilliseconds)
    settings.minSessionTimeoutMilliseconds = Int32(clamping: sessionTimeoutBounds.lowerBound)
    settings.maxSessionTimeoutMilliseconds = Int32(clamping: sessionTimeoutBounds.upperBound)
    settings.serverID = ensemble?.serverID.rawValue ?? 1
    settings.skipACL = features.skipsACL
    settings.enforceQuota = features.enforcesQuota
    settings.reconfigEnabled = features.allowsReconfig
    settings.hasLocalSessions = ensemble != nil && features.hasLocalSessions
    settings.upgradesLocalSessions = features.upgradesLocalSessions
    settings.maximumTxnBytes = ServerSettings.maximumTxnBytes(maximumFrameBytes: maximumFrameBytes)
    settings.superDigest = features.superDigest
    settings.digestSchemeEnabled = features.hasDigestScheme
    settings.x509SchemeEnabled = usesClientTLS && clientTLS.properties.settings.clientAuthentication != .none
    settings.x509SuperUser = features.x509SuperUser
    settings.setDigestAlgorithm(javaName: features.digestAlgorithm)
    settings.ensembleNames = features.ensembleNames
    settings.sasl = sasl?.settings
    settings.requiredSchemes = features.requiredSchemes
    settings.connectionThrottle = connectionThrottle
    settings.limits = requestLimits
    settings.containerMaxNeverUsedMilliseconds = Int64(features.neverUsedContainerMilliseconds)
    return settings
  }
}

extension ServerConfiguration.Ensemble {
  /// The settings of Zab.
  var zabSettings: ZabSettings {
    var settings = ZabSettings()
    settings.tickMilliseconds = Int64(tickTimeMilliseconds)
    settings.initLimitTicks = Int64(times.initLimitTicks)
    settings.syncLimitTicks = Int64(times.syncLimitTicks)
    settings.isReconfigEnabled = isReconfigEnabled
    settings.readsLogForLearners = times.snapshotSizeFactor >= 0
    settings.alwaysSendsTree = times.alwaysSendsTree
    settings.hasObserverMasters = times.observerMasterPort != nil
    settings.observerElectionMilliseconds = Int64(times.observerElectionMilliseconds)
    settings.observerReconnectMilliseconds = Int64(times.observerReconnectMilliseconds)
    settings.historyBytes = times.historyBytes
    if let count = times.historyCount { settings.historyCount = count }
    return settings
  }
}
