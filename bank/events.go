package bank

// Names of the events the bank emits. All are events of journey_templates.yaml or
// of base_events.yaml; the test of the packs holds them together.
const (
	evNone uint16 = iota

	// onboarding_ekyc
	evOnboardingStarted
	evIdDocumentScanned
	evIdChipRead
	evFaceMatchPassed
	evConsentRecorded
	evTermsAccepted
	evAccountOpened
	evFirstLoginDone
	evFirstFundingReceived
	evIdDocumentRejected
	evFaceMatchFailed
	evOnboardingManualReviewStarted
	evOnboardingRejected
	evOnboardingAbandoned
	evSupportContacted

	// card_activation
	evCardRequested
	evCardApproved
	evCardDispatched
	evCardDelivered
	evCardActivated
	evCardPinSet
	evCardFirstPurchase
	evCardAddedToWallet
	evCardDeliveryFailed
	evCardReturnedUndelivered
	evCardActivationFailed
	evCardFirstPurchaseDeclined
	evCardNeverActivated

	// everyday_transfer
	evTransferStarted
	evPayeeNameConfirmed
	evTransferBiometricPassed
	evTransferSubmitted
	evTransferCredited
	evTransferBiometricFailed
	evTransferTimeout
	evTransferPending
	evTransferReversed
	evTransferFailed
	evTransferAbandoned
	evScamWarningShown

	// personal_loan
	evLoanQuoteViewed
	evLoanApplicationStarted
	evLoanDocumentsSubmitted
	evLoanApplicationCompleted
	evLoanDecisionMade
	evLoanDecisionExplained
	evLoanKeyFactsViewed
	evLoanContractSigned
	evLoanDisbursed
	evLoanFirstRepaymentMade
	evLoanDocumentRequestedAgain
	evLoanStatusEnquired
	evLoanDeclined
	evLoanOfferRefused
	evLoanApplicationAbandoned
	evLoanFirstRepaymentMissed

	// payment_dispute
	evSuspiciousPaymentNoticed
	evDisputeReported
	evCardBlocked
	evDisputeAcknowledged
	evDisputeEvidenceReceived
	evProvisionalCreditGiven
	evDisputeUpdateSent
	evDisputeResolved
	evDisputeEvidenceRequestedAgain
	evDisputeStatusEnquired
	evDisputeTransferredToOtherTeam
	evDisputeReopened
	evDisputeWithdrawn
	evComplaintFiled

	// branch_visit
	evBranchAppointmentBooked
	evBranchTicketIssued
	evBranchGreeted
	evBranchCalledToCounter
	evBranchServiceStarted
	evBranchServiceCompleted
	evBranchFollowupSent
	evBranchDocumentMissing
	evBranchSentToOtherCounter
	evBranchReturnRequired
	evBranchVisitAbandoned
	evBranchSystemDown

	// digital_login_failure
	evLoginFailed
	evLoginHelpShown
	evCredentialResetStarted
	evResetIdentityVerified
	evSupportAnswered
	evLoginSucceeded
	evIntendedTaskCompleted
	evAccountLocked
	evOtpNotReceived
	evDeviceChangeBlocked
	evLoginRecoveryAbandoned
	evAppStoreLowRatingPosted

	// complaint
	evComplaintAcknowledged
	evComplaintOwnerAssigned
	evComplaintContactMade
	evComplaintCauseRecorded
	evComplaintRemedyOffered
	evComplaintClosedAccepted
	evComplaintPreventionTold
	evComplaintTransferred
	evComplaintChased
	evComplaintReopened
	evComplaintEscalatedInternal
	evComplaintEscalatedExternal
	evComplaintClosedRejected

	// term_deposit_maturity
	evDepositMaturityNotified
	evDepositOptionsViewed
	evDepositAdviceGiven
	evDepositInstructionGiven
	evDepositRenewed
	evDepositMovedToOtherProduct
	evDepositAutoRolledUnwanted
	evDepositEarlyWithdrawn
	evDepositWithdrawnToOtherBank

	// financial_hardship
	evHardshipSignalRaised
	evHardshipOutreachSent
	evHardshipConversationHeld
	evHardshipAbilityAssessed
	evHardshipPlanOffered
	evHardshipPlanAgreed
	evHardshipPlanKept90d
	evHardshipContactFailed
	evHardshipPlanBroken
	evAccountSentToRecovery

	// dormant_reactivation
	evDormancyDetected
	evDormancyReasonCaptured
	evReactivationOfferSent
	evReactivationOfferOpened
	evIdentityReverified
	evReactivatedFirstTransaction
	evActiveUseResumed
	evContactOptedOut
	evIdentityReverifyFailed
	evDormancyUnreachable
	evAccountClosed

	// account_exit
	evSalaryInflowStopped
	evBalanceDropDetected
	evExitRequested
	evExitReasonRecorded
	evRetentionConversationHeld
	evExitSurveyAnswered
	evWinbackAccountOpened
	evExitForcedToBranch
	evExitStalled
	evExitWithdrawnByCustomer

	// events every installation has, and those of this bank
	evContactReceived
	evContactAbandoned
	evContactTransferred
	evContactResolved
	evSurveyEligible
	evSurveySuppressed
	evSurveyInvited
	evSurveyAnswered
	evSurveyOptedOut
	evCaseOpened
	evCaseFirstContact
	evCaseClosed
	evCaseReopened
	evClockStarted
	evClockMet
	evClockBreached
	evMessageSent
	evMessageDelivered
	evMessageHeld
	evConsentGiven
	evConsentWithdrawn
	evWithdrawalEnforced
	evSubjectRequestReceived
	evSubjectRequestReplied
	evSubjectRequestDone
	evReferralMade
	evReferralJoined
	evRelationshipEnded
	evRecoveryGranted
	evBehaviourObserved
	evProductSold
	evProductCancelledEarly
	evIncidentStarted
	evIncidentEnded
	evSalaryReceived
	evMonthEndRecorded
	evCardPurchase
	evFeeCharged
	evProfileUpdated
	evCount
)

var eventNames = [evCount]string{
	evOnboardingStarted:             "onboarding_started",
	evIdDocumentScanned:             "id_document_scanned",
	evIdChipRead:                    "id_chip_read",
	evFaceMatchPassed:               "face_match_passed",
	evConsentRecorded:               "consent_recorded",
	evTermsAccepted:                 "terms_accepted",
	evAccountOpened:                 "account_opened",
	evFirstLoginDone:                "first_login_done",
	evFirstFundingReceived:          "first_funding_received",
	evIdDocumentRejected:            "id_document_rejected",
	evFaceMatchFailed:               "face_match_failed",
	evOnboardingManualReviewStarted: "onboarding_manual_review_started",
	evOnboardingRejected:            "onboarding_rejected",
	evOnboardingAbandoned:           "onboarding_abandoned",
	evSupportContacted:              "support_contacted",
	evCardRequested:                 "card_requested",
	evCardApproved:                  "card_approved",
	evCardDispatched:                "card_dispatched",
	evCardDelivered:                 "card_delivered",
	evCardActivated:                 "card_activated",
	evCardPinSet:                    "card_pin_set",
	evCardFirstPurchase:             "card_first_purchase",
	evCardAddedToWallet:             "card_added_to_wallet",
	evCardDeliveryFailed:            "card_delivery_failed",
	evCardReturnedUndelivered:       "card_returned_undelivered",
	evCardActivationFailed:          "card_activation_failed",
	evCardFirstPurchaseDeclined:     "card_first_purchase_declined",
	evCardNeverActivated:            "card_never_activated",
	evTransferStarted:               "transfer_started",
	evPayeeNameConfirmed:            "payee_name_confirmed",
	evTransferBiometricPassed:       "transfer_biometric_passed",
	evTransferSubmitted:             "transfer_submitted",
	evTransferCredited:              "transfer_credited",
	evTransferBiometricFailed:       "transfer_biometric_failed",
	evTransferTimeout:               "transfer_timeout",
	evTransferPending:               "transfer_pending",
	evTransferReversed:              "transfer_reversed",
	evTransferFailed:                "transfer_failed",
	evTransferAbandoned:             "transfer_abandoned",
	evScamWarningShown:              "scam_warning_shown",
	evLoanQuoteViewed:               "loan_quote_viewed",
	evLoanApplicationStarted:        "loan_application_started",
	evLoanDocumentsSubmitted:        "loan_documents_submitted",
	evLoanApplicationCompleted:      "loan_application_completed",
	evLoanDecisionMade:              "loan_decision_made",
	evLoanDecisionExplained:         "loan_decision_explained",
	evLoanKeyFactsViewed:            "loan_key_facts_viewed",
	evLoanContractSigned:            "loan_contract_signed",
	evLoanDisbursed:                 "loan_disbursed",
	evLoanFirstRepaymentMade:        "loan_first_repayment_made",
	evLoanDocumentRequestedAgain:    "loan_document_requested_again",
	evLoanStatusEnquired:            "loan_status_enquired",
	evLoanDeclined:                  "loan_declined",
	evLoanOfferRefused:              "loan_offer_refused",
	evLoanApplicationAbandoned:      "loan_application_abandoned",
	evLoanFirstRepaymentMissed:      "loan_first_repayment_missed",
	evSuspiciousPaymentNoticed:      "suspicious_payment_noticed",
	evDisputeReported:               "dispute_reported",
	evCardBlocked:                   "card_blocked",
	evDisputeAcknowledged:           "dispute_acknowledged",
	evDisputeEvidenceReceived:       "dispute_evidence_received",
	evProvisionalCreditGiven:        "provisional_credit_given",
	evDisputeUpdateSent:             "dispute_update_sent",
	evDisputeResolved:               "dispute_resolved",
	evDisputeEvidenceRequestedAgain: "dispute_evidence_requested_again",
	evDisputeStatusEnquired:         "dispute_status_enquired",
	evDisputeTransferredToOtherTeam: "dispute_transferred_to_other_team",
	evDisputeReopened:               "dispute_reopened",
	evDisputeWithdrawn:              "dispute_withdrawn",
	evComplaintFiled:                "complaint_filed",
	evBranchAppointmentBooked:       "branch_appointment_booked",
	evBranchTicketIssued:            "branch_ticket_issued",
	evBranchGreeted:                 "branch_greeted",
	evBranchCalledToCounter:         "branch_called_to_counter",
	evBranchServiceStarted:          "branch_service_started",
	evBranchServiceCompleted:        "branch_service_completed",
	evBranchFollowupSent:            "branch_followup_sent",
	evBranchDocumentMissing:         "branch_document_missing",
	evBranchSentToOtherCounter:      "branch_sent_to_other_counter",
	evBranchReturnRequired:          "branch_return_required",
	evBranchVisitAbandoned:          "branch_visit_abandoned",
	evBranchSystemDown:              "branch_system_down",
	evLoginFailed:                   "login_failed",
	evLoginHelpShown:                "login_help_shown",
	evCredentialResetStarted:        "credential_reset_started",
	evResetIdentityVerified:         "reset_identity_verified",
	evSupportAnswered:               "support_answered",
	evLoginSucceeded:                "login_succeeded",
	evIntendedTaskCompleted:         "intended_task_completed",
	evAccountLocked:                 "account_locked",
	evOtpNotReceived:                "otp_not_received",
	evDeviceChangeBlocked:           "device_change_blocked",
	evLoginRecoveryAbandoned:        "login_recovery_abandoned",
	evAppStoreLowRatingPosted:       "app_store_low_rating_posted",
	evComplaintAcknowledged:         "complaint_acknowledged",
	evComplaintOwnerAssigned:        "complaint_owner_assigned",
	evComplaintContactMade:          "complaint_contact_made",
	evComplaintCauseRecorded:        "complaint_cause_recorded",
	evComplaintRemedyOffered:        "complaint_remedy_offered",
	evComplaintClosedAccepted:       "complaint_closed_accepted",
	evComplaintPreventionTold:       "complaint_prevention_told",
	evComplaintTransferred:          "complaint_transferred",
	evComplaintChased:               "complaint_chased",
	evComplaintReopened:             "complaint_reopened",
	evComplaintEscalatedInternal:    "complaint_escalated_internal",
	evComplaintEscalatedExternal:    "complaint_escalated_external",
	evComplaintClosedRejected:       "complaint_closed_rejected",
	evDepositMaturityNotified:       "deposit_maturity_notified",
	evDepositOptionsViewed:          "deposit_options_viewed",
	evDepositAdviceGiven:            "deposit_advice_given",
	evDepositInstructionGiven:       "deposit_instruction_given",
	evDepositRenewed:                "deposit_renewed",
	evDepositMovedToOtherProduct:    "deposit_moved_to_other_product",
	evDepositAutoRolledUnwanted:     "deposit_auto_rolled_unwanted",
	evDepositEarlyWithdrawn:         "deposit_early_withdrawn",
	evDepositWithdrawnToOtherBank:   "deposit_withdrawn_to_other_bank",
	evHardshipSignalRaised:          "hardship_signal_raised",
	evHardshipOutreachSent:          "hardship_outreach_sent",
	evHardshipConversationHeld:      "hardship_conversation_held",
	evHardshipAbilityAssessed:       "hardship_ability_assessed",
	evHardshipPlanOffered:           "hardship_plan_offered",
	evHardshipPlanAgreed:            "hardship_plan_agreed",
	evHardshipPlanKept90d:           "hardship_plan_kept_90d",
	evHardshipContactFailed:         "hardship_contact_failed",
	evHardshipPlanBroken:            "hardship_plan_broken",
	evAccountSentToRecovery:         "account_sent_to_recovery",
	evDormancyDetected:              "dormancy_detected",
	evDormancyReasonCaptured:        "dormancy_reason_captured",
	evReactivationOfferSent:         "reactivation_offer_sent",
	evReactivationOfferOpened:       "reactivation_offer_opened",
	evIdentityReverified:            "identity_reverified",
	evReactivatedFirstTransaction:   "reactivated_first_transaction",
	evActiveUseResumed:              "active_use_resumed",
	evContactOptedOut:               "contact_opted_out",
	evIdentityReverifyFailed:        "identity_reverify_failed",
	evDormancyUnreachable:           "dormancy_unreachable",
	evAccountClosed:                 "account_closed",
	evSalaryInflowStopped:           "salary_inflow_stopped",
	evBalanceDropDetected:           "balance_drop_detected",
	evExitRequested:                 "exit_requested",
	evExitReasonRecorded:            "exit_reason_recorded",
	evRetentionConversationHeld:     "retention_conversation_held",
	evExitSurveyAnswered:            "exit_survey_answered",
	evWinbackAccountOpened:          "winback_account_opened",
	evExitForcedToBranch:            "exit_forced_to_branch",
	evExitStalled:                   "exit_stalled",
	evExitWithdrawnByCustomer:       "exit_withdrawn_by_customer",
	evContactReceived:               "contact_received",
	evContactAbandoned:              "contact_abandoned",
	evContactTransferred:            "contact_transferred",
	evContactResolved:               "contact_resolved",
	evSurveyEligible:                "survey_eligible",
	evSurveySuppressed:              "survey_suppressed",
	evSurveyInvited:                 "survey_invited",
	evSurveyAnswered:                "survey_answered",
	evSurveyOptedOut:                "survey_opted_out",
	evCaseOpened:                    "case_opened",
	evCaseFirstContact:              "case_first_contact",
	evCaseClosed:                    "case_closed",
	evCaseReopened:                  "case_reopened",
	evClockStarted:                  "clock_started",
	evClockMet:                      "clock_met",
	evClockBreached:                 "clock_breached",
	evMessageSent:                   "message_sent",
	evMessageDelivered:              "message_delivered",
	evMessageHeld:                   "message_held",
	evConsentGiven:                  "consent_given",
	evConsentWithdrawn:              "consent_withdrawn",
	evWithdrawalEnforced:            "withdrawal_enforced",
	evSubjectRequestReceived:        "subject_request_received",
	evSubjectRequestReplied:         "subject_request_replied",
	evSubjectRequestDone:            "subject_request_done",
	evReferralMade:                  "referral_made",
	evReferralJoined:                "referral_joined",
	evRelationshipEnded:             "relationship_ended",
	evRecoveryGranted:               "recovery_granted",
	evBehaviourObserved:             "behaviour_observed",
	evProductSold:                   "product_sold",
	evProductCancelledEarly:         "product_cancelled_early",
	evIncidentStarted:               "incident_started",
	evIncidentEnded:                 "incident_ended",
	evSalaryReceived:                "salary_received",
	evMonthEndRecorded:              "month_end_recorded",
	evCardPurchase:                  "card_purchase",
	evFeeCharged:                    "fee_charged",
	evProfileUpdated:                "profile_updated",
}
