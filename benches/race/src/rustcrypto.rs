//! Bare calls of the RustCrypto crates, which the benches beside this one have.

use crate::bare::bare;
use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::packets::Way;

pub(crate) fn contender(task: Task) -> Option<Contender> {
    let sas: Option<Vec<_>> =
        task.keymats().iter().map(|keymat| bare(task.suite, keymat)).collect();
    let sas = sas?;
    let way = task.way;
    Some(Contender::new(
        Column::RustCrypto,
        Box::new(move |packets| {
            for (packet, sa) in packets.each().zip(sas.iter().cycle()) {
                match way {
                    Way::Seal => (sa.seal)(packet),
                    Way::Open => (sa.open)(packet),
                }
            }
        }),
    ))
}
