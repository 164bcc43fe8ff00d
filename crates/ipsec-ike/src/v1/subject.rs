use vpn_core::Reader;

/// The subject of an X.509 certificate (RFC 5280 §4.1), DER encoded: the name that we go by when
/// nothing else is configured.
///
/// It looks at our own certificate alone. Those of peers are read by whoever verifies them.
pub(crate) fn subject(certificate: &[u8]) -> Option<&[u8]> {
    /// The explicit tag of the version, which may be left out.
    const VERSION: u8 = 0xa0;
    let (certificate, _) = element(certificate)?;
    let (tbs, _) = element(certificate.content)?;
    let mut rest = tbs.content;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.1;
    }
    // Serial number, signature algorithm, issuer, validity.
    for _ in 0..4 {
        rest = element(rest)?.1;
    }
    let (subject, _) = element(rest)?;
    Some(subject.whole)
}

struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// The first element of `der`, and what follows it.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let mut reader = Reader::new(der);
    reader.u8().ok()?;
    let len = match reader.u8().ok()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8().ok()?),
        0x82 => usize::from(reader.u16().ok()?),
        _ => return None,
    };
    let content = reader.take(len).ok()?;
    let whole = der.get(..der.len() - reader.len())?;
    Some((Element { whole, content }, reader.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn sequence(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut der = Vec::from([tag, 0x82]);
        der.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
        der.extend_from_slice(&content);
        der
    }

    #[test]
    fn finds_the_subject_with_and_without_a_version() {
        let name = [0x30, 0x81, 3, 1, 2, 3];
        let fields: [&[u8]; 6] =
            [&[2, 1, 7], &[0x30, 0], &[0x30, 1, 9], &[0x30, 0], &name, &[3, 0]];
        let plain = sequence(0x30, &[&sequence(0x30, &fields)]);
        assert_eq!(subject(&plain), Some(&name[..]));
        let version: &[u8] = &[0xa0, 3, 2, 1, 2];
        let newer = sequence(0x30, &[&sequence(0x30, &[&[version], &fields[..]].concat())]);
        assert_eq!(subject(&newer), Some(&name[..]));
        for len in 0..plain.len() {
            assert_eq!(subject(&plain[..len]), None, "{len}");
        }
    }
}
