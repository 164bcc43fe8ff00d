//! What both sides did, in the order of time.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Instant as Clock;

use l2tp_ipsec::Step;
use l2tp_ipsec::Trace;
use serde_json::Value;
use serde_json::json;
use vpn_core::Instant;

/// The rows of both drivers, and the clock that both read.
pub(crate) struct Timeline {
    start: Clock,
    rows: Mutex<Vec<Row>>,
}

struct Row {
    at: Instant,
    side: &'static str,
    event: String,
    state: String,
}

/// One side's view: it remembers what state the side is in.
pub(crate) struct Side {
    name: &'static str,
    state: String,
    timeline: Arc<Timeline>,
}

impl Timeline {
    #[expect(clippy::disallowed_methods, reason = "a driver owns the clock")]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Clock::now(), rows: Mutex::new(Vec::new()) })
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.start.elapsed().as_micros().try_into().unwrap_or(u64::MAX))
    }

    pub(crate) fn side(self: &Arc<Self>, name: &'static str) -> Side {
        Side { name, state: "idle".into(), timeline: Arc::clone(self) }
    }

    pub(crate) fn print(&self) {
        println!("{:>10}  {:<6}  {:<48}  state", "elapsed", "side", "message");
        self.for_each(|row| {
            let elapsed = row.at.as_micros() as f64 / 1e3;
            println!("{elapsed:>7.2} ms  {:<6}  {:<48}  {}", row.side, row.event, row.state);
        });
    }

    pub(crate) fn as_json(&self) -> Value {
        let mut rows = Vec::new();
        self.for_each(|row| {
            rows.push(json!({
                "elapsed_us": row.at.as_micros(),
                "side": row.side,
                "message": row.event,
                "state": row.state,
            }));
        });
        Value::from(rows)
    }

    fn for_each(&self, mut show: impl FnMut(&Row)) {
        let mut rows = self.rows.lock().expect("no driver panics while it adds a row");
        rows.sort_by_key(|row| row.at);
        rows.iter().for_each(&mut show);
    }
}

impl Side {
    /// Notes what a machine traced. A change of state makes no row; it shows in the next.
    pub(crate) fn trace(&mut self, trace: Trace) {
        use l2tp_control::Trace as Control;
        match &trace.step {
            Step::L2tp(Control::TunnelState { state, .. }) => {
                self.state = format!("tunnel {state}")
            }
            Step::L2tp(Control::CallState { state, .. }) => self.state = format!("call {state}"),
            Step::Ike(ike) => {
                self.state = format!("IKE {}", ike.state);
                let text = trace.to_string();
                self.row(trace.at, text.trim_end_matches(ike.state).trim_end().into());
            }
            Step::PppSent(step) | Step::PppReceived(step) => {
                self.state = format!("PPP {}", step.phase);
                self.row(trace.at, trace.to_string());
            }
            _ => self.row(trace.at, trace.to_string()),
        }
    }

    /// Notes something that the driver itself has to say.
    pub(crate) fn tell(&mut self, event: String) {
        self.row(self.timeline.now(), event);
    }

    fn row(&self, at: Instant, event: String) {
        let row = Row { at, side: self.name, event, state: self.state.clone() };
        self.timeline.rows.lock().expect("no driver panics while it adds a row").push(row);
    }
}
