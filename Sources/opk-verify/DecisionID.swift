import AuditTrail

/// By which one decision is found again, in the log and by `opk explain --id`: it is the id of its event.
typealias DecisionID = EventID
