/** Pictures on their way to the model: upright, no larger than it looks at, in a form that the service reads. */

/** The longest side that the model sees; the service shrinks what is larger. */
export const LONG_SIDE_PIXELS = 1536;
/** What is no larger than this, and fits, goes as it is. */
export const SMALL_BYTES = 1024 ** 2;
const JPEG_QUALITY = 0.85;
const HEAD_BYTES = 12;

/** The picture as a `data:` URL. Throws where the browser can make no picture of the file. */
export async function readPicture(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file); // turned as its EXIF data says
  try {
    const size = fitted(bitmap.width, bitmap.height);
    const kind = kindOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    const fits = size.width === bitmap.width && size.height === bitmap.height && file.size <= SMALL_BYTES;
    return await dataUrl(kind && fits ? file.slice(0, file.size, kind) : await jpeg(bitmap, size));
  } finally {
    bitmap.close();
  }
}

interface Size {
  width: number;
  height: number;
}

/** The size within the longest side, in the same proportions. */
export function fitted(width: number, height: number): Size {
  const scale = Math.min(1, LONG_SIDE_PIXELS / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** The media type by the first bytes, since a file's name may lie; null: none that the service reads. */
export function kindOf(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head);
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  return text.startsWith("RIFF") && text.slice(8) === "WEBP" ? "image/webp" : null;
}

function jpeg(bitmap: ImageBitmap, { width, height }: Size): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser gives no canvas");
  context.fillStyle = "white"; // JPEG knows no transparency, and would show it black
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
