//! The drain of a gateway.

use tokio::sync::watch;

/// Phase of a gateway's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Serves new sessions.
    Serving,
    /// Refuses new sessions. Present ones finish their requests in flight; clients in frames receive DRAIN.
    Draining,
    /// Ends all sessions: the drain timeout is over.
    Closing,
}

/// Observes the phase. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<Phase>);

/// Changes the phase.
#[derive(Debug)]
pub(crate) struct DrainSwitch(watch::Sender<Phase>);

impl DrainSwitch {
    pub(crate) fn new() -> (Self, Drain) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (Self(sender), Drain(receiver))
    }

    /// Enters a later phase.
    pub(crate) fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|present| {
            let advances = *present < phase;
            *present = phase.max(*present);
            advances
        });
    }
}

impl Drain {
    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Waits for a phase after `phase`, and returns it; never ready after the last one.
    pub(crate) async fn beyond(&mut self, phase: Phase) -> Phase {
        if phase == Phase::Closing {
            std::future::pending::<()>().await;
        }
        // A dropped gateway is in its last phase.
        self.0.wait_for(|present| *present > phase).await.map_or(Phase::Closing, |phase| *phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_that_has_begun_does_not_go_back() {
        let (switch, mut drain) = DrainSwitch::new();
        assert!(!drain.is_draining());
        switch.advance(Phase::Closing);
        switch.advance(Phase::Draining);
        assert_eq!(drain.beyond(Phase::Serving).await, Phase::Closing);
        assert_eq!(drain.phase(), Phase::Closing);
    }

    #[tokio::test]
    async fn a_gateway_that_is_dropped_is_over() {
        let (switch, mut drain) = DrainSwitch::new();
        drop(switch);
        assert_eq!(drain.beyond(Phase::Draining).await, Phase::Closing);
    }
}
