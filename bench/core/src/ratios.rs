//! Ratios of figures that people ask for: ours to another's, or one way to another.

use crate::Figures;
use crate::cases::carriage::CARRIAGES;

/// Adds those whose figures are there. Of instructions and octets, not of time: cases are measured one after the other, and
/// the machine may do something else meanwhile. CPU of whole clients, in turns, is `bench/run`'s to measure.
pub fn add(figures: &mut Figures) {
    let mut ratios = Vec::new();
    let raw = CARRIAGES[0].case;
    for carried in &CARRIAGES[1..] {
        for (figure, ratio) in [("instructions", "ratio"), ("octets", "octets_ratio")] {
            let name = format!("{}.{ratio}", carried.case);
            ratios.extend(ratio_of(figures, &[carried.case], &[raw], figure).map(|value| (name, value)));
        }
    }
    for case in FLAT {
        let (few, many) = (format!("{case}.3"), format!("{case}.1000"));
        let ratio = ratio_of(figures, &[&many], &[&few], "instructions");
        ratios.extend(ratio.map(|value| (format!("{case}.ratio.1000_to_3"), value)));
    }
    for (name, ours, theirs) in CODECS {
        let (name, peer) = name.split_once(' ').expect("a name and a peer");
        let ratio = ratio_of(figures, ours, theirs, "instructions");
        ratios.extend(ratio.map(|value| (format!("{name}.ratio.{peer}"), value)));
    }
    if !ratios.is_empty() {
        println!("\nratio");
    }
    for (name, value) in ratios {
        println!("{name:<52}{value:>6.2}");
        figures.insert(name, value);
    }
}

/// Cases whose cost is not to depend on the number of sessions, members and caches: 1,000 beside 3.
const FLAT: [&str; 8] = [
    "shared_link.one_busy.get64",
    "shared_link.all_busy.get64",
    "shared_link.member_lost",
    "shared_link.idle_tick",
    "server_link.one_busy.call64",
    "cluster.get64",
    "cluster.idle_tick",
    "cluster.member_lost",
];

/// nghttp2 offers no codec without the rest of an endpoint: it is beside our endpoint.
const CODECS: [(&str, &[&str], &[&str]); 6] = [
    ("h2.frame_codec.receive h2", &["h2.frame_codec.receive"], &["peer.h2.frame_codec.receive"]),
    ("h2.frame_codec.send h2", &["h2.frame_codec.send"], &["peer.h2.frame_codec.send"]),
    (
        "h2.frame_codec h2",
        &["h2.frame_codec.receive", "h2.frame_codec.send"],
        &["peer.h2.frame_codec.receive", "peer.h2.frame_codec.send"],
    ),
    ("h2.frame_codec.receive nghttp2", &["h2.endpoint.receive"], &["peer.nghttp2.endpoint.receive"]),
    ("h2.frame_codec.send nghttp2", &["h2.endpoint.send"], &["peer.nghttp2.endpoint.send"]),
    (
        "h2.frame_codec nghttp2",
        &["h2.endpoint.receive", "h2.endpoint.send"],
        &["peer.nghttp2.endpoint.receive", "peer.nghttp2.endpoint.send"],
    ),
];

/// Of sums; `None` if a figure is missing.
fn ratio_of(figures: &Figures, ours: &[&str], theirs: &[&str], figure: &str) -> Option<f64> {
    let of = |case: &&str| {
        let found = |suffix: &str| figures.get(&format!("{case}.{figure}{suffix}")).copied();
        found("").or_else(|| found("_per_frame"))
    };
    let sum = |cases: &[&str]| cases.iter().map(of).sum::<Option<f64>>();
    Some(sum(ours)? / sum(theirs)?)
}
