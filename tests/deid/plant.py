#!/usr/bin/env python3
"""Makes a corpus of synthetic people whose identities are planted wherever an object can hold text.

    plant.py FOLDER      writes FOLDER/*.dcm and FOLDER/planted.json: what must not be found afterwards

Nobody here exists. Small images of noise; objects of many storage classes that refer to each other.
"""
import json
import pathlib
import sys

import numpy
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.8.498.4711."
FILES = pathlib.Path("/usr/lib/python3/dist-packages/pydicom/data/test_files")

PEOPLE = [
    dict(charset="ISO_IR 192", name="Quirrenbach^Ottokar=屋久島^銀次郎=ヤクシマ^ギンジロウ", id="MRN-8834471",
         words=["Quirrenbach", "Ottokar", "屋久島", "銀次郎", "ヤクシマ", "ギンジロウ"]),
    dict(charset="ISO_IR 100", name="Übermöller^Françoise", id="77412093",
         words=["Übermöller", "Françoise", "Ubermoller", "Uebermoeller", "Francoise"]),
    dict(charset="ISO_IR 144", name="Жаворонков^Мстислав", id="PX5561K", words=["Жаворонков", "Мстислав"]),
    dict(charset="ISO_IR 127", name="قبانيار^لزهراء", id="A-00991-Z", words=["قبانيار", "لزهراء"]),
    dict(charset="\\ISO 2022 IR 87", name="Wolkenhauer^Tarou=狩野沢^草太郎=かのさわ^そうたろう", id="JP20991234",
         words=["Wolkenhauer", "Tarou", "狩野沢", "草太郎", "かのさわ", "そうたろう"]),
]
SHARED_WORDS = ["Zwingelberg", "Ansgarius", "Pfefferkornia", "ACC4453219", "Lindwurmgasse 17", "0664 5550123",
                "St. Xaverius Klinik", "Operatrix", "SN88213XQ"]


class Person:
    def __init__(self, number, spec):
        self.number = number
        self.__dict__.update(spec)
        self.family, self.given = spec["words"][:2]
        self.birth = f"19{40 + number}0{number + 1}17"
        self.study = f"{ROOT}{number}.1"
        self.frame = f"{ROOT}{number}.9"
        self.count = 0
        self.references = []

    def uid(self):
        self.count += 1
        return f"{ROOT}{self.number}.2.{self.count}"

    def planted(self):
        b = self.birth
        dates = [b, f"{b[:4]}-{b[4:6]}-{b[6:]}", f"{b[6:]}.{b[4:6]}.{b[:4]}", f"{b[6:]}/{b[4:6]}/{b[:4]}"]
        cut_short = [word[:-1] for word in self.words if word.isascii() and len(word) > 8]
        return self.words + [self.id, self.id.replace("-", "")] + dates + cut_short

    def sentence(self, word):
        return f"{word} {self.family}, {self.given}, born {self.birth}, {self.id}"


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def code(value, scheme, meaning):
    return Sequence([item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


def reference(person):
    return Sequence([item(ReferencedSOPClassUID=c, ReferencedSOPInstanceUID=u) for c, u in person.references[:2]])


def patient_and_study(ds, person):
    ds.SpecificCharacterSet = person.charset.split("\\")
    ds.PatientName = person.name
    ds.PatientID = person.id
    ds.PatientBirthDate = person.birth
    ds.PatientSex = "F"
    ds.PatientAge = "093Y"
    ds.OtherPatientIDs = person.id + "X"
    ds.OtherPatientNames = person.name
    ds.PatientAddress = "Lindwurmgasse 17"
    ds.PatientTelephoneNumbers = "0664 5550123"
    ds.AdditionalPatientHistory = person.sentence("History of")
    ds.StudyInstanceUID = person.study
    ds.SeriesInstanceUID = person.uid()
    ds.StudyDate, ds.StudyTime = "20240315", "101112"
    ds.SeriesDate, ds.ContentDate, ds.ContentTime = "20240315", "20240316", "101500"
    ds.AcquisitionDateTime = "20240315101113.5+0100"
    ds.AccessionNumber = "ACC4453219"
    ds.StudyID = "ST" + person.id[:6]
    ds.ReferringPhysicianName = "Zwingelberg^Ansgarius^^Dr."
    ds.OperatorsName = "Operatrix"
    ds.InstitutionName = "St. Xaverius Klinik"
    ds.StationName = "SN88213XQ"


def texts(ds, person):
    family, given = person.family, person.given
    ds.StudyDescription = person.sentence("Thorax")[:64]
    ds.SeriesDescription = f"AX T1 {family}"
    ds.ProtocolName = f"Prot_{family}_native"
    ds.ImageComments = f"Compared with Dr. Zwingelberg, {person.sentence('see')} and {person.birth[6:]}.{person.birth[4:6]}.{person.birth[:4]}"
    ds.SequenceName = f"*fl3d_{family}"[:16]
    ds.ImageID = given[:8]
    ds.DerivationDescription = f"Reformatted for {given} {family.upper()}"
    ds.BodyPartExamined = "CHEST"
    ds.RequestedProcedureDescription = f"CT {family}"
    ds.ProcedureCodeSequence = code("CT77", "99XAV", f"Chest exam {family}")
    ds.ManufacturerModelName = f"Scanner {family}"
    ds.FrameComments = f"{given}{family}"
    ds.RequestAttributesSequence = Sequence([item(
        ScheduledProcedureStepDescription=person.sentence("Step"), RequestedProcedureID=person.id[:16],
        AccessionNumber="ACC4453219", ScheduledProtocolCodeSequence=code(family[:8], "99XAV", given))])
    inner = item(PatientName=person.name, PatientID=person.id, ImageComments=person.sentence("Nested"))
    for _ in range(4):
        inner = item(ReferencedImageSequence=Sequence([inner]), CodeMeaning=family)
    ds.PredecessorDocumentsSequence = Sequence([inner])
    ds.OriginalAttributesSequence = Sequence([item(
        SourceOfPreviousValues=family, AttributeModificationDateTime="20240101120000", ModifyingSystem="X",
        ReasonForTheAttributeModification="CORRECT", ModifiedAttributesSequence=Sequence([item(PatientName=person.name)]))])
    ds.add_new(0x60104000, "LT", f"Overlay {family}")
    ds.add_new(0x50002500, "LO", f"Curve {family}")
    ds.add_new(0x00089777, "LO", f"Nowhere listed {family}")


def private(ds, person):
    family = person.family
    ascii_family = family if family.isascii() else person.id
    block = ds.private_block(0x0019, "ACME 1.0", create=True)
    block.add_new(0x10, "LO", f"Private {ascii_family}")
    block.add_new(0x11, "PN", person.name)
    block.add_new(0x12, "DA", person.birth)
    inside = item(PatientComments=f"UN {ascii_family}")
    block.add_new(0x13, "SQ", Sequence([inside]))
    block.add_new(0x14, "UN", f"bytes of {ascii_family} ".encode())
    safe = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    safe.add_new(0x27, "SH", f"1.5 {ascii_family}"[:16])
    safe.add_new(0x30, "LO", f"not safe {ascii_family}")
    safe_numbers = ds.private_block(0x2001, "Philips Imaging DD 001", create=True)
    safe_numbers.add_new(0x03, "FL", 1000.0)


def image(ds, frames=1, modality="CT", sop_class="1.2.840.10008.5.1.4.1.1.2"):
    ds.SOPClassUID, ds.Modality = sop_class, modality
    ds.Rows = ds.Columns = 16
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceNumber = "1"
    ds.FrameOfReferenceUID = ds.StudyInstanceUID[:-1] + "9"
    ds.BurnedInAnnotation = "NO"
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = numpy.random.default_rng(1).integers(0, 4000, 256 * frames, dtype="uint16").tobytes()


def icon():
    small = Dataset()
    small.Rows = small.Columns = 8
    small.SamplesPerPixel, small.PhotometricInterpretation = 1, "MONOCHROME2"
    small.BitsAllocated = small.BitsStored = 8
    small.HighBit, small.PixelRepresentation = 7, 0
    small.PixelData = b"ICON" * 16
    return Sequence([small])


def ct(person):
    ds = Dataset()
    patient_and_study(ds, person)
    image(ds)
    ds.IconImageSequence = icon()
    ds.ReferencedImageSequence = reference(person)
    ds.KVP, ds.PositionReferenceIndicator = "120", ""
    return ds


def mr(person):
    ds = ct(person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.4", "MR"
    ds.SourceImageSequence = reference(person)
    return ds


def enhanced(person):
    ds = Dataset()
    patient_and_study(ds, person)
    image(ds, 3, "MR", "1.2.840.10008.5.1.4.1.1.4.1")
    ds.SharedFunctionalGroupsSequence = Sequence([item(ReferencedImageSequence=reference(person))])
    ds.PerFrameFunctionalGroupsSequence = Sequence([item(FrameContentSequence=Sequence([item(
        FrameComments=person.sentence("Frame"), FrameLabel=person.family, StackID="1", InStackPositionNumber=n + 1,
        FrameAcquisitionDateTime="20240315101112")])) for n in range(3)])
    return ds


def segmentation(person):
    ds = enhanced(person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.66.4", "SEG"
    ds.SegmentSequence = Sequence([item(
        SegmentNumber=1, SegmentLabel=f"Lesion {person.family}", SegmentDescription=person.sentence("Seen by"),
        SegmentAlgorithmType="MANUAL", TrackingID=f"{person.family} 1", TrackingUID=person.uid(),
        SegmentedPropertyCategoryCodeSequence=code("49755003", "SCT", "Morphologically Abnormal Structure"))])
    ds.ContentLabel, ds.ContentDescription = "SEG", person.sentence("Made for")
    ds.ContentCreatorName = "Zwingelberg^Ansgarius"
    ds.ReferencedSeriesSequence = Sequence([item(SeriesInstanceUID=f"{ROOT}{person.number}.2.1",
                                                 ReferencedInstanceSequence=reference(person))])
    return ds


def report(person):
    ds = Dataset()
    patient_and_study(ds, person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.88.33", "SR"
    ds.ValueType, ds.CompletionFlag, ds.VerificationFlag = "CONTAINER", "COMPLETE", "VERIFIED"
    ds.ContinuityOfContent, ds.InstanceNumber = "SEPARATE", "1"
    ds.ConceptNameCodeSequence = code("18748-4", "LN", "Diagnostic Imaging Report")
    ds.VerifyingObserverSequence = Sequence([item(
        VerifyingOrganization="St. Xaverius Klinik", VerificationDateTime="20240315120000",
        VerifyingObserverName="Pfefferkornia^Adelheid",
        VerifyingObserverIdentificationCodeSequence=code("PFK", "99XAV", "Pfefferkornia"))])
    ds.CurrentRequestedProcedureEvidenceSequence = Sequence([item(
        StudyInstanceUID=person.study, ReferencedSeriesSequence=Sequence([item(
            SeriesInstanceUID=f"{ROOT}{person.number}.2.1", ReferencedSOPSequence=reference(person))]))])
    finding = item(RelationshipType="CONTAINS", ValueType="TEXT",
                   ConceptNameCodeSequence=code("121071", "DCM", "Finding"),
                   TextValue=person.sentence("The patient") + ". Call 0664 5550123. Discussed with Frau Pfefferkornia.")
    observer = item(RelationshipType="HAS OBS CONTEXT", ValueType="PNAME",
                    ConceptNameCodeSequence=code("121008", "DCM", "Person Observer Name"),
                    PersonName="Pfefferkornia^Adelheid")
    born = item(RelationshipType="HAS OBS CONTEXT", ValueType="DATE",
                ConceptNameCodeSequence=code("121031", "DCM", "Subject Birth Date"), Date=person.birth)
    picture = item(RelationshipType="CONTAINS", ValueType="IMAGE", ReferencedSOPSequence=reference(person))
    picture.ContentSequence = Sequence([finding])
    ds.ContentSequence = Sequence([finding, observer, born, picture])
    return ds


def presentation(person):
    ds = Dataset()
    patient_and_study(ds, person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.11.1", "PR"
    ds.ContentLabel, ds.ContentDescription, ds.InstanceNumber = "PR", f"Marks of {person.family}", "1"
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20240315", "101010"
    ds.GraphicLayerSequence = Sequence([item(GraphicLayer="LAYER", GraphicLayerOrder="1")])
    ds.GraphicAnnotationSequence = Sequence([item(
        GraphicLayer="LAYER", ReferencedImageSequence=reference(person), TextObjectSequence=Sequence([item(
            UnformattedTextValue=person.sentence("Mark"), AnchorPointAnnotationUnits="PIXEL", AnchorPoint=[1.0, 1.0],
            AnchorPointVisibility="Y")]))])
    ds.ReferencedSeriesSequence = Sequence([item(SeriesInstanceUID=f"{ROOT}{person.number}.2.1",
                                                 ReferencedImageSequence=reference(person))])
    return ds


def ultrasound(person):
    ds = ct(person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.6.1", "US"
    return ds


def document(person):
    ds = Dataset()
    patient_and_study(ds, person)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = f"Letter about {person.family}", "application/pdf"
    ds.EncapsulatedDocument = b"%PDF-1.4 " + person.id.encode() + b" "
    return ds


def from_file(name):
    def make(person):
        source = pydicom.dcmread(FILES / name, force=True)
        ds = Dataset()
        for element in source:
            if element.tag.group not in (0x0010,) and not element.tag.is_private:
                ds.add(element)
        patient_and_study(ds, person)
        return ds
    return make


MAKERS = {"ct": ct, "mr": mr, "enhanced": enhanced, "seg": segmentation, "sr": report, "pr": presentation,
          "us": ultrasound, "pdf": document, "rtplan": from_file("rtplan.dcm"), "rtstruct": from_file("rtstruct.dcm"),
          "rtdose": from_file("rtdose.dcm"), "ecg": from_file("waveform_ecg.dcm")}


def save(ds, person, path, implicit):
    ds.SOPInstanceUID = person.uid()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = person.id[:16]
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = ROOT + "5", person.id.encode() + b" "
    made = FileDataset(str(path), ds, file_meta=meta, preamble=(person.id.encode() * 20)[:128])
    made.is_little_endian, made.is_implicit_VR = True, implicit
    made.add_new(0xFFFCFFFC, "OB", person.id.encode() * 2)
    made.save_as(path, write_like_original=False)
    person.references.append((ds.SOPClassUID, ds.SOPInstanceUID))


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    planted = set(SHARED_WORDS)
    for number, spec in enumerate(PEOPLE, 1):
        person = Person(number, spec)
        for position, (name, make) in enumerate(MAKERS.items()):
            ds = make(person)
            texts(ds, person)
            private(ds, person)
            save(ds, person, folder / f"{person.id}_{name}.dcm", implicit=(position + number) % 3 == 0)
        planted |= set(person.planted())
    (folder / "planted.json").write_text(json.dumps({"strings": sorted(planted), "root": ROOT}, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
