//! The message that ends a call (RFC 2661 §6.12), from and to a value.

use bytes::Bytes;
use l2tp_wire::PppDisconnectCause;
use l2tp_wire::Q931Cause;
use l2tp_wire::ResultCode;
use l2tp_wire::message::Cdn;

use crate::CallResult;
use crate::PppCause;
use crate::Q931;
use crate::close::cut;

impl CallResult {
    pub(crate) fn cdn(&self, session_id: u16) -> Cdn<'_> {
        Cdn {
            result_code: ResultCode::for_cdn(self.result, self.error, cut(&self.message)),
            q931_cause: self.q931.as_ref().map(|q931| Q931Cause {
                code: q931.cause,
                message: q931.message,
                advisory: cut(&q931.advisory),
            }),
            assigned_session_id: session_id,
            ppp_disconnect_cause: self.ppp.as_ref().map(|ppp| PppDisconnectCause {
                code: ppp.code,
                protocol: ppp.protocol,
                direction: ppp.direction,
                message: cut(&ppp.message),
            }),
        }
    }

    pub(crate) fn of_cdn(cdn: &Cdn<'_>) -> Self {
        let code = cdn.result_code;
        Self {
            result: code.cdn(),
            error: code.error,
            message: Bytes::copy_from_slice(code.message),
            q931: cdn.q931_cause.map(|q931| Q931 {
                cause: q931.code,
                message: q931.message,
                advisory: Bytes::copy_from_slice(q931.advisory),
            }),
            ppp: cdn.ppp_disconnect_cause.map(|ppp| PppCause {
                code: ppp.code,
                protocol: ppp.protocol,
                direction: ppp.direction,
                message: Bytes::copy_from_slice(ppp.message),
            }),
        }
    }
}
