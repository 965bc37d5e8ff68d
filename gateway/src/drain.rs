//! The end of a gateway: first politely, then certainly.

use tokio::sync::watch;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// New sessions are served.
    Serving,
    /// No new ones; those that are there are to end by themselves: finish what is in flight, and tell clients that
    /// can be told.
    Draining,
    /// The grace is over: every session ends now.
    Closing,
}

/// What handlers see of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<Phase>);

/// What brings it about.
#[derive(Debug)]
pub(crate) struct DrainSwitch(watch::Sender<Phase>);

impl DrainSwitch {
    pub(crate) fn new() -> (Self, Drain) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (Self(sender), Drain(receiver))
    }

    /// Goes on to a phase; never back.
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

    /// Waits until it has gone on from that phase, and says how far; never ready after the last one.
    pub(crate) async fn beyond(&mut self, phase: Phase) -> Phase {
        if phase == Phase::Closing {
            std::future::pending::<()>().await;
        }
        // A gateway that was dropped is over as well.
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
