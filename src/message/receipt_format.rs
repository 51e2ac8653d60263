//! How a tenant's platform expects its receipts: what differs from the standard's text, which TLVs go along, and how ids are spelled.

/// How message ids are spelled towards a platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IdForm {
    /// The whole id in 26 characters of base 32; a peer of SMPP 3.3, which takes 8 characters, gets [`IdForm::Hex`].
    #[default]
    Long,
    /// The low 32 bits in 8 hexadecimal digits. They repeat after 4,294,967,296 messages.
    Hex,
    /// The low 32 bits in 10 decimal digits.
    Decimal,
}

/// What stands before the quoted message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QuoteLabel {
    /// `text:`.
    #[default]
    Lower,
    /// `Text:`.
    Capital,
    /// No such part.
    Absent,
}

/// A tenant's receipts (`receipt_format`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptFormat {
    /// Labels in capitals.
    pub upper_labels: bool,
    /// Digits of `sub` and `dlvrd`; 0 leaves them out.
    pub count_digits: u8,
    /// Digits of dates: 10, 12 or 14.
    pub date_digits: u8,
    /// `DELIVERED` in place of `DELIVRD`.
    pub long_states: bool,
    /// Digits of a decimal `err` at least; 0 leaves it as the carrier wrote it.
    pub err_digits: u8,
    /// The label of the quoted message.
    pub quote: QuoteLabel,
    /// Semicolons between the fields.
    pub semicolons: bool,
    /// The id in submit_sm_resp and in receipted_message_id.
    pub response_id: IdForm,
    /// The id in the text.
    pub receipt_id: IdForm,
    /// Whether receipted_message_id goes along.
    pub tlv_id: bool,
    /// Whether message_state goes along.
    pub tlv_state: bool,
    /// Whether network_error_code goes along, where there is an error that is a number.
    pub tlv_error: bool,
}

impl Default for ReceiptFormat {
    fn default() -> ReceiptFormat {
        ReceiptFormat::STANDARD
    }
}

impl ReceiptFormat {
    /// SMPP 3.4 appendix B with all TLVs.
    pub const STANDARD: ReceiptFormat = ReceiptFormat {
        upper_labels: false,
        count_digits: 3,
        date_digits: 10,
        long_states: false,
        err_digits: 0,
        quote: QuoteLabel::Lower,
        semicolons: false,
        response_id: IdForm::Long,
        receipt_id: IdForm::Long,
        tlv_id: true,
        tlv_state: true,
        tlv_error: true,
    };

    /// The formats by the words of the configuration; the first is the default. The others are named after programs whose receipts,
    /// or whose tests of them, look so.
    pub const WORDS: [(&str, ReceiptFormat); 4] = [
        ("standard", ReceiptFormat::STANDARD),
        ("jsmpp", ReceiptFormat { quote: QuoteLabel::Capital, ..ReceiptFormat::STANDARD }),
        ("jasmin", ReceiptFormat { count_digits: 0, quote: QuoteLabel::Absent, ..ReceiptFormat::STANDARD }),
        (
            "cloudhopper",
            ReceiptFormat {
                count_digits: 0,
                date_digits: 14,
                err_digits: 1,
                quote: QuoteLabel::Absent,
                ..ReceiptFormat::STANDARD
            },
        ),
    ];

    /// The spellings of ids by the words of the configuration: in the response, and in the receipt.
    pub const IDS: [(&str, (IdForm, IdForm)); 4] = [
        ("long", (IdForm::Long, IdForm::Long)),
        ("hex", (IdForm::Hex, IdForm::Hex)),
        ("decimal", (IdForm::Decimal, IdForm::Decimal)),
        ("hex-decimal", (IdForm::Hex, IdForm::Decimal)),
    ];
}
