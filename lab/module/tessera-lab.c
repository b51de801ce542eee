// SPDX-License-Identifier: GPL-2.0
/*
 * A card that can be cut, without the card.
 *
 * A PCI driver that takes the functions named by its parameter `cards` (or by
 * driver_override) and never touches their hardware. Each one becomes a parent of mediated devices
 * (mdevs), with types as NVIDIA's or Intel's drivers show them. An mdev has a
 * linear framebuffer and the registers of QEMU's bochs-display
 * (docs/specs/standard-vga.rst there), so that guests have a driver for it,
 * and shows its picture through the region kind of VFIO's plane query.
 *
 * A card that can have virtual functions is no parent itself: they are, with
 * one mdev each, and share what the card has.
 *
 * The parameters that can be written at run time are faults to be met.
 */
#include <linux/delay.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>
#include <drm/drm_fourcc.h>

/* ---- parameters ------------------------------------------------------- */

static char *driver_name = "tessera_lab";
module_param(driver_name, charp, 0444);
MODULE_PARM_DESC(driver_name, "name in /sys/bus/pci/drivers, and first half of the types' names");

static char *cards = "";
module_param(cards, charp, 0644);
MODULE_PARM_DESC(cards, "addresses of the functions it takes, with commas; needs a probe afterwards");

static char *types = "vgpu";
module_param(types, charp, 0444);
MODULE_PARM_DESC(types, "vgpu (one line, framebuffers) or gvt (five lines, apertures)");

static char *product = "V100";
module_param(product, charp, 0444);
MODULE_PARM_DESC(product, "vgpu: the card's name in the types' names");

static unsigned int framebuffer_mib = 16384;
module_param(framebuffer_mib, uint, 0444);
MODULE_PARM_DESC(framebuffer_mib, "vgpu: memory of a card; a number only, none is taken");

static bool mixed_sizes;
module_param(mixed_sizes, bool, 0444);
MODULE_PARM_DESC(mixed_sizes, "vgpu: mdevs of several sizes may share a card");

static unsigned int aperture_mib = 256;
module_param(aperture_mib, uint, 0444);
MODULE_PARM_DESC(aperture_mib, "gvt: graphics memory that the host's processors reach, of 4096");

static unsigned int fail_create;

static int set_fail_create(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 0, 133);
}

static const struct kernel_param_ops fail_create_ops = {
	.set = set_fail_create,
	.get = param_get_uint,
};
module_param_cb(fail_create, &fail_create_ops, &fail_create, 0644);
MODULE_PARM_DESC(fail_create, "the next create fails with this errno; 0 again afterwards");

static int claim_available = -1;
module_param(claim_available, int, 0644);
MODULE_PARM_DESC(claim_available, "available_instances says this, true or not; -1: the truth");

static unsigned int create_delay_ms;
module_param(create_delay_ms, uint, 0644);
MODULE_PARM_DESC(create_delay_ms, "a create takes so long, and cannot be interrupted");

/* ---- cards, parents, types -------------------------------------------- */

#define MOST_INSTANCES 32	/* of vGPUs on one card, as NVIDIA's driver has it */
#define TOTAL_GRAPHICS_MIB 4096	/* gvt: aperture and hidden memory together */
#define HOST_APERTURE_MIB 128	/* gvt: what the host keeps of each */
#define HOST_HIDDEN_MIB 384
#define FENCES 32
#define HOST_FENCES 4

/* What a card has, an mdev takes. vgpu counts `memory` only; gvt all three. */
struct goods {
	unsigned int memory;	/* MiB of framebuffer, or of aperture */
	unsigned int hidden;	/* MiB */
	unsigned int fences;
};

/* One for a physical card; its virtual functions share it. */
struct card {
	struct list_head node;
	struct kref kref;
	struct pci_dev *physical;
	struct mutex lock;	/* what follows, and `instances` of its parents */
	struct goods total;
	struct goods used;
	unsigned int instances;
	unsigned int size;	/* of all instances, where one size is the rule */
};

struct lab_type {
	struct mdev_type mdev;
	char sysfs_name[24];
	char pretty_name[48];
	char description[160];
	struct goods cost;
};

/* The core keeps its own state in each mdev_type: a set for each parent. */
struct parent {
	struct mdev_parent mdev;
	struct card *card;
	unsigned int instances;
	unsigned int most_instances;
	unsigned int nr_types;
	struct mdev_type **pointers;
	struct lab_type *types;
};

static LIST_HEAD(all_cards);
static DEFINE_MUTEX(all_cards_lock);

static bool is_gvt(void)
{
	return !strcmp(types, "gvt");
}

static struct goods goods_of_a_card(void)
{
	struct goods all = { .memory = framebuffer_mib };

	if (is_gvt()) {
		all.memory = aperture_mib - HOST_APERTURE_MIB;
		all.hidden = TOTAL_GRAPHICS_MIB - aperture_mib - HOST_HIDDEN_MIB;
		all.fences = FENCES - HOST_FENCES;
	}
	return all;
}

static unsigned int times(const struct goods *total, const struct goods *used,
			  const struct goods *cost)
{
	unsigned int n = (total->memory - used->memory) / cost->memory;

	if (cost->hidden)
		n = min(n, (total->hidden - used->hidden) / cost->hidden);
	if (cost->fences)
		n = min(n, (total->fences - used->fences) / cost->fences);
	return n;
}

static struct card *get_card(struct pci_dev *function)
{
	struct pci_dev *physical = pci_physfn(function);
	struct card *card;

	mutex_lock(&all_cards_lock);
	list_for_each_entry(card, &all_cards, node) {
		if (card->physical == physical) {
			kref_get(&card->kref);
			goto out;
		}
	}
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		goto out;
	kref_init(&card->kref);
	mutex_init(&card->lock);
	card->physical = pci_dev_get(physical);
	card->total = goods_of_a_card();
	list_add(&card->node, &all_cards);
out:
	mutex_unlock(&all_cards_lock);
	return card;
}

static void free_card(struct kref *kref)
{
	struct card *card = container_of(kref, struct card, kref);

	list_del(&card->node);
	pci_dev_put(card->physical);
	kfree(card);
}

static void put_card(struct card *card)
{
	mutex_lock(&all_cards_lock);
	kref_put(&card->kref, free_card);
	mutex_unlock(&all_cards_lock);
}

static struct parent *parent_of(struct mdev_type *type)
{
	return container_of(type->parent, struct parent, mdev);
}

static struct lab_type *lab_type_of(struct mdev_type *type)
{
	return container_of(type, struct lab_type, mdev);
}

/* How many more of this type there can be. With the card's lock. */
static unsigned int available(struct parent *parent, struct lab_type *type)
{
	struct card *card = parent->card;
	unsigned int n;

	if (parent->instances >= parent->most_instances)
		return 0;
	if (!is_gvt()) {
		if (card->instances >= MOST_INSTANCES)
			return 0;
		if (!mixed_sizes && card->instances && card->size != type->cost.memory)
			return 0;
	}
	n = times(&card->total, &card->used, &type->cost);
	n = min(n, parent->most_instances - parent->instances);
	return is_gvt() ? n : min(n, MOST_INSTANCES - card->instances);
}

static unsigned int get_available(struct mdev_type *mtype)
{
	struct parent *parent = parent_of(mtype);
	int claimed = READ_ONCE(claim_available);
	unsigned int n;

	if (claimed >= 0)
		return claimed;
	mutex_lock(&parent->card->lock);
	n = available(parent, lab_type_of(mtype));
	mutex_unlock(&parent->card->lock);
	return n;
}

static ssize_t show_description(struct mdev_type *mtype, char *buf)
{
	return sysfs_emit(buf, "%s", lab_type_of(mtype)->description);
}

/* Takes what an mdev of this type costs off the card. */
static int take(struct parent *parent, struct lab_type *type)
{
	struct card *card = parent->card;
	int ret = -ENOSPC;

	mutex_lock(&card->lock);
	if (available(parent, type)) {
		card->used.memory += type->cost.memory;
		card->used.hidden += type->cost.hidden;
		card->used.fences += type->cost.fences;
		card->size = type->cost.memory;
		card->instances++;
		parent->instances++;
		ret = 0;
	}
	mutex_unlock(&card->lock);
	return ret;
}

static void give_back(struct parent *parent, struct lab_type *type)
{
	struct card *card = parent->card;

	mutex_lock(&card->lock);
	card->used.memory -= type->cost.memory;
	card->used.hidden -= type->cost.hidden;
	card->used.fences -= type->cost.fences;
	card->instances--;
	parent->instances--;
	mutex_unlock(&card->lock);
}

/* ---- an mdev: configuration space, framebuffer, registers -------------- */

#define REGION_SHIFT 40		/* a region's index within a file offset */
#define REGION_OFFSET(index) ((u64)(index) << REGION_SHIFT)
#define CONFIG_BYTES 256
#define FRAMEBUFFER_BYTES (16u << 20)
#define REGISTER_BYTES 4096u

/* 16-bit registers from 0x500 of BAR 2 on. */
#define DISPI_BASE 0x500
enum dispi {
	DISPI_ID,
	DISPI_WIDTH,
	DISPI_HEIGHT,
	DISPI_BITS,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRTUAL_WIDTH,
	DISPI_VIRTUAL_HEIGHT,
	DISPI_X,
	DISPI_Y,
	DISPI_MEMORY_64K,
	DISPI_COUNT
};
#define DISPI_IS_ON 0x01

struct instance {
	struct vfio_device vdev;
	struct mutex lock;	/* config and dispi */
	u8 config[CONFIG_BYTES];
	__le16 dispi[DISPI_COUNT];
	void *framebuffer;	/* while somebody has the device open */
	/* What it took of the card, and where; kept for the way back. */
	struct parent *parent;
	struct lab_type *type;
};

static struct instance *instance_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct instance, vdev);
}

static void put16(u8 *config, unsigned int at, u16 value)
{
	config[at] = value & 0xff;
	config[at + 1] = value >> 8;
}

static void reset_instance(struct instance *instance)
{
	u8 *config = instance->config;

	mutex_lock(&instance->lock);
	memset(config, 0, CONFIG_BYTES);
	put16(config, PCI_VENDOR_ID, 0x1234);
	put16(config, PCI_DEVICE_ID, 0x1111);
	put16(config, PCI_STATUS, PCI_STATUS_DEVSEL_FAST);
	config[PCI_REVISION_ID] = 2;
	put16(config, PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_OTHER);
	put16(config, PCI_SUBSYSTEM_VENDOR_ID, 0x1234);
	put16(config, PCI_SUBSYSTEM_ID, 0x1ab0);
	config[PCI_BASE_ADDRESS_0] = PCI_BASE_ADDRESS_MEM_PREFETCH;

	memset(instance->dispi, 0, sizeof(instance->dispi));
	instance->dispi[DISPI_ID] = cpu_to_le16(0xb0c5);
	instance->dispi[DISPI_MEMORY_64K] = cpu_to_le16(FRAMEBUFFER_BYTES >> 16);
	mutex_unlock(&instance->lock);
}

/* Which bits of a byte of the configuration space a guest can change. */
static u8 config_mask(unsigned int at)
{
	switch (at) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_COMMAND + 1:
		return PCI_COMMAND_INTX_DISABLE >> 8;
	case PCI_CACHE_LINE_SIZE:
	case PCI_INTERRUPT_LINE:
	case PCI_BASE_ADDRESS_0 + 3:	/* 16 MiB */
	case PCI_BASE_ADDRESS_2 + 2:	/* 4 KiB */
	case PCI_BASE_ADDRESS_2 + 3:
		return 0xff;
	case PCI_BASE_ADDRESS_2 + 1:
		return 0xf0;
	}
	return 0;
}

/* The byte of a register that can be written, or nothing. */
static u8 *register_byte(struct instance *instance, unsigned int at, bool write)
{
	unsigned int which = (at - DISPI_BASE) / 2;

	if (at < DISPI_BASE || which >= DISPI_COUNT)
		return NULL;
	if (write && (which == DISPI_ID || which == DISPI_MEMORY_64K))
		return NULL;
	return (u8 *)instance->dispi + (at - DISPI_BASE);
}

static u8 read_byte(struct instance *instance, unsigned int region, unsigned int at)
{
	u8 *byte;

	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return instance->config[at];
	byte = register_byte(instance, at, false);
	return byte ? *byte : 0;
}

static void write_byte(struct instance *instance, unsigned int region, unsigned int at, u8 value)
{
	u8 *byte, mask;

	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		mask = config_mask(at);
		byte = &instance->config[at];
		*byte = (*byte & ~mask) | (value & mask);
		return;
	}
	byte = register_byte(instance, at, true);
	if (byte)
		*byte = value;
}

static u64 region_bytes(unsigned int index)
{
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return CONFIG_BYTES;
	case VFIO_PCI_BAR0_REGION_INDEX:
		return FRAMEBUFFER_BYTES;
	case VFIO_PCI_BAR2_REGION_INDEX:
		return REGISTER_BYTES;
	}
	return 0;
}

/* Cuts `count` to what the region has at *ppos; -EINVAL beyond it. */
static int find_region(loff_t position, size_t *count, unsigned int *index, unsigned int *at)
{
	u64 within = (u64)position & (REGION_OFFSET(1) - 1);

	*index = (u64)position >> REGION_SHIFT;
	if (position < 0 || within >= region_bytes(*index))
		return -EINVAL;
	*count = min_t(u64, *count, region_bytes(*index) - within);
	*at = within;
	return 0;
}

static ssize_t lab_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct instance *instance = instance_of(vdev);
	unsigned int region, at;
	size_t i;
	u8 byte;
	int ret = find_region(*ppos, &count, &region, &at);

	if (ret)
		return ret;
	if (region == VFIO_PCI_BAR0_REGION_INDEX) {
		if (copy_to_user(buf, instance->framebuffer + at, count))
			return -EFAULT;
	} else {
		for (i = 0; i < count; i++) {
			mutex_lock(&instance->lock);
			byte = read_byte(instance, region, at + i);
			mutex_unlock(&instance->lock);
			if (put_user(byte, buf + i))
				return -EFAULT;
		}
	}
	*ppos += count;
	return count;
}

static ssize_t lab_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct instance *instance = instance_of(vdev);
	unsigned int region, at;
	size_t i;
	u8 byte;
	int ret = find_region(*ppos, &count, &region, &at);

	if (ret)
		return ret;
	if (region == VFIO_PCI_BAR0_REGION_INDEX) {
		if (copy_from_user(instance->framebuffer + at, buf, count))
			return -EFAULT;
	} else {
		for (i = 0; i < count; i++) {
			if (get_user(byte, buf + i))
				return -EFAULT;
			mutex_lock(&instance->lock);
			write_byte(instance, region, at + i, byte);
			mutex_unlock(&instance->lock);
		}
	}
	*ppos += count;
	return count;
}

static int lab_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct instance *instance = instance_of(vdev);
	unsigned long pages = vma_pages(vma);
	unsigned long first = vma->vm_pgoff & ((1ul << (REGION_SHIFT - PAGE_SHIFT)) - 1);

	if (vma->vm_pgoff >> (REGION_SHIFT - PAGE_SHIFT) != VFIO_PCI_BAR0_REGION_INDEX)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (first + pages < first || first + pages > FRAMEBUFFER_BYTES >> PAGE_SHIFT)
		return -EINVAL;
	return remap_vmalloc_range(vma, instance->framebuffer, first);
}

static int lab_open(struct vfio_device *vdev)
{
	struct instance *instance = instance_of(vdev);

	instance->framebuffer = vmalloc_user(FRAMEBUFFER_BYTES);
	if (!instance->framebuffer)
		return -ENOMEM;
	reset_instance(instance);
	return 0;
}

static void lab_close(struct vfio_device *vdev)
{
	struct instance *instance = instance_of(vdev);

	vfree(instance->framebuffer);
	instance->framebuffer = NULL;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
/* Later kernels free it themselves. */
static void lab_release(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}
#endif

/* ---- what VFIO's users ask --------------------------------------------- */

static long get_info(void __user *arg)
{
	struct vfio_device_info info = {};
	size_t least = offsetofend(struct vfio_device_info, num_irqs);

	if (copy_from_user(&info, arg, least))
		return -EFAULT;
	if (info.argsz < least)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, least) ? -EFAULT : 0;
}

static long get_region_info(void __user *arg)
{
	struct vfio_region_info info = {};
	size_t least = offsetofend(struct vfio_region_info, offset);

	if (copy_from_user(&info, arg, least))
		return -EFAULT;
	if (info.argsz < least || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.cap_offset = 0;
	info.offset = REGION_OFFSET(info.index);
	info.size = region_bytes(info.index);
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	if (info.index == VFIO_PCI_BAR0_REGION_INDEX)
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return copy_to_user(arg, &info, least) ? -EFAULT : 0;
}

/* It has no interrupts. */
static long get_irq_info(void __user *arg)
{
	struct vfio_irq_info info = {};
	size_t least = offsetofend(struct vfio_irq_info, count);

	if (copy_from_user(&info, arg, least))
		return -EFAULT;
	if (info.argsz < least || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
	return copy_to_user(arg, &info, least) ? -EFAULT : 0;
}

static void describe_plane(struct instance *instance, struct vfio_device_gfx_plane_info *plane)
{
	u32 width, height, stride;

	mutex_lock(&instance->lock);
	width = le16_to_cpu(instance->dispi[DISPI_WIDTH]);
	height = le16_to_cpu(instance->dispi[DISPI_HEIGHT]);
	stride = max_t(u32, width, le16_to_cpu(instance->dispi[DISPI_VIRTUAL_WIDTH])) * 4;
	if (!(le16_to_cpu(instance->dispi[DISPI_ENABLE]) & DISPI_IS_ON) ||
	    le16_to_cpu(instance->dispi[DISPI_BITS]) != 32 ||
	    (u64)stride * height > FRAMEBUFFER_BYTES)
		width = 0;
	mutex_unlock(&instance->lock);

	if (!width || !height)
		return;	/* the guest shows nothing: all zero */
	plane->drm_format = DRM_FORMAT_XRGB8888;
	plane->width = width;
	plane->height = height;
	plane->stride = stride;
	plane->size = PAGE_ALIGN(stride * height);
	plane->region_index = VFIO_PCI_BAR0_REGION_INDEX;
}

static long query_plane(struct instance *instance, void __user *arg)
{
	struct vfio_device_gfx_plane_info asked = {}, plane = {};
	size_t least = offsetofend(struct vfio_device_gfx_plane_info, region_index);

	if (copy_from_user(&asked, arg, least))
		return -EFAULT;
	if (asked.argsz < least)
		return -EINVAL;
	if (asked.flags == (VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION))
		return 0;
	if (asked.flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;	/* no dma-bufs here */
	plane.argsz = asked.argsz;
	plane.flags = asked.flags;
	plane.drm_plane_type = asked.drm_plane_type;
	plane.x_hot = plane.y_hot = 0xffffffff;
	describe_plane(instance, &plane);
	return copy_to_user(arg, &plane, least) ? -EFAULT : 0;
}

static long lab_ioctl(struct vfio_device *vdev, unsigned int command, unsigned long arg)
{
	struct instance *instance = instance_of(vdev);
	void __user *there = (void __user *)arg;

	switch (command) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(there);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(there);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(there);
	case VFIO_DEVICE_SET_IRQS:
		return -EINVAL;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return query_plane(instance, there);
	case VFIO_DEVICE_RESET:
		reset_instance(instance);
		return 0;
	}
	return -ENOTTY;
}

static const struct vfio_device_ops instance_ops = {
	.name = KBUILD_MODNAME,
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	.release = lab_release,
#endif
	.open_device = lab_open,
	.close_device = lab_close,
	.read = lab_read,
	.write = lab_write,
	.ioctl = lab_ioctl,
	.mmap = lab_mmap,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

/* ---- create and remove -------------------------------------------------- */

static int probe_mdev(struct mdev_device *mdev)
{
	struct parent *parent = parent_of(mdev->type);
	struct lab_type *type = lab_type_of(mdev->type);
	unsigned int fault = xchg(&fail_create, 0);
	struct instance *instance;
	int ret;

	if (READ_ONCE(create_delay_ms))
		msleep(READ_ONCE(create_delay_ms));
	if (fault)
		return -(int)fault;
	ret = take(parent, type);
	if (ret)
		return ret;
	instance = vfio_alloc_device(instance, vdev, &mdev->dev, &instance_ops);
	if (IS_ERR(instance)) {
		ret = PTR_ERR(instance);
		goto err_give_back;
	}
	mutex_init(&instance->lock);
	instance->parent = parent;
	instance->type = type;
	ret = vfio_register_emulated_iommu_dev(&instance->vdev);
	if (ret)
		goto err_put;
	dev_set_drvdata(&mdev->dev, instance);
	return 0;

err_put:
	vfio_put_device(&instance->vdev);
err_give_back:
	give_back(parent, type);
	return ret;
}

static void remove_mdev(struct mdev_device *mdev)
{
	struct instance *instance = dev_get_drvdata(&mdev->dev);
	struct parent *parent = instance->parent;
	struct lab_type *type = instance->type;

	vfio_unregister_group_dev(&instance->vdev);	/* waits until nobody has it open */
	vfio_put_device(&instance->vdev);
	give_back(parent, type);
}

static struct mdev_driver lab_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = probe_mdev,
	.remove = remove_mdev,
	.get_available = get_available,
	.show_description = show_description,
};

/* ---- the types ----------------------------------------------------------- */

/* As NVIDIA's: desktops, applications, workstations, computing. */
static const struct series {
	char letter;
	unsigned int least_mib, most_mib;
	unsigned int heads, frame_rate;
	const char *resolution;
} all_series[] = {
	{ 'B', 1024, 2048, 4, 45, "5120x2880" },
	{ 'A', 1024, UINT_MAX, 1, 60, "1280x1024" },
	{ 'Q', 1024, UINT_MAX, 4, 60, "7680x4320" },
	{ 'C', 4096, UINT_MAX, 1, 60, "4096x2160" },
};

/* As Intel's of the generations from Skylake on. */
static const struct aperture {
	unsigned int share;
	struct goods cost;
	unsigned int weight;
	const char *resolution;
} all_apertures[] = {
	{ 8, { 64, 384, 4 }, 2, "1024x768" },
	{ 4, { 128, 512, 4 }, 4, "1920x1200" },
	{ 2, { 256, 1024, 4 }, 8, "1920x1200" },
	{ 1, { 512, 2048, 4 }, 16, "1920x1200" },
};

#define MOST_TYPES 64

static struct lab_type *next_type(struct parent *parent)
{
	struct lab_type *type;

	if (parent->nr_types == MOST_TYPES)
		return NULL;
	type = &parent->types[parent->nr_types];
	parent->pointers[parent->nr_types++] = &type->mdev;
	type->mdev.sysfs_name = type->sysfs_name;
	return type;
}

static void add_vgpu_type(struct parent *parent, const struct series *series, unsigned int mib,
			  unsigned int number)
{
	unsigned int total = parent->card->total.memory;
	struct lab_type *type = next_type(parent);

	if (!type)
		return;
	type->cost.memory = mib;
	snprintf(type->sysfs_name, sizeof(type->sysfs_name), "%u", number);
	snprintf(type->pretty_name, sizeof(type->pretty_name), "LAB %s-%u%c", product, mib / 1024,
		 series->letter);
	type->mdev.pretty_name = type->pretty_name;
	snprintf(type->description, sizeof(type->description),
		 "num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%s, max_instance=%u\n",
		 series->heads, series->frame_rate, mib, series->resolution,
		 min_t(unsigned int, total / mib, MOST_INSTANCES));
}

/* Halves of the card down to 1 GiB, or of the next power of two below it; numbers never change. */
static void add_vgpu_types(struct parent *parent)
{
	unsigned int total = parent->card->total.memory;
	unsigned int i, power;
	u64 mib;

	for (i = 0; i < ARRAY_SIZE(all_series); i++) {
		const struct series *series = &all_series[i];

		for (power = 0, mib = 1024; mib <= total; power++, mib *= 2)
			if (mib >= series->least_mib && mib <= series->most_mib)
				add_vgpu_type(parent, series, mib, 256 + 16 * i + power);
		if (!is_power_of_2(total) && total % 1024 == 0 && total <= series->most_mib &&
		    total >= series->least_mib)
			add_vgpu_type(parent, series, total, 256 + 16 * i + 15);
	}
}

/* A type that this aperture has no room for does not exist. */
static void add_gvt_types(struct parent *parent)
{
	static const struct goods none;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_apertures); i++) {
		const struct aperture *aperture = &all_apertures[i];
		struct lab_type *type;

		if (!times(&parent->card->total, &none, &aperture->cost))
			continue;
		type = next_type(parent);
		if (!type)
			return;
		type->cost = aperture->cost;
		snprintf(type->sysfs_name, sizeof(type->sysfs_name), "GVTg_V5_%u",
			 aperture->share);
		snprintf(type->description, sizeof(type->description),
			 "low_gm_size: %uMB\nhigh_gm_size: %uMB\nfence: %u\nresolution: %s\nweight: %u\n",
			 aperture->cost.memory, aperture->cost.hidden, aperture->cost.fences,
			 aperture->resolution, aperture->weight);
	}
}

/* ---- the PCI driver ------------------------------------------------------- */

static struct pci_driver lab_pci_driver;

static void free_parent(struct parent *parent)
{
	if (parent->card)
		put_card(parent->card);
	kfree(parent->pointers);
	kvfree(parent->types);
	kfree(parent);
}

static struct parent *make_parent(struct pci_dev *function)
{
	struct parent *parent = kzalloc(sizeof(*parent), GFP_KERNEL);

	if (!parent)
		return NULL;
	parent->most_instances = function->is_virtfn ? 1 : UINT_MAX;
	parent->card = get_card(function);
	parent->pointers = kcalloc(MOST_TYPES, sizeof(*parent->pointers), GFP_KERNEL);
	parent->types = kvcalloc(MOST_TYPES, sizeof(*parent->types), GFP_KERNEL);
	if (!parent->card || !parent->pointers || !parent->types) {
		free_parent(parent);
		return NULL;
	}
	if (is_gvt())
		add_gvt_types(parent);
	else
		add_vgpu_types(parent);
	return parent;
}

static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	const char *found;

	for (found = list; (found = strstr(found, name)); found += length)
		if ((found == list || found[-1] == ',') && strchr(",\n", found[length]))
			return true;	/* strchr finds the end, too */
	return false;
}

/* Ours: named, or a virtual function of a card that is ours. */
static bool is_ours(struct pci_dev *function)
{
	bool ours;

	if (function->driver_override)
		return true;	/* it would not have matched another name */
	if (function->is_virtfn && pci_dev_driver(pci_physfn(function)) == &lab_pci_driver)
		return true;
	kernel_param_lock(THIS_MODULE);
	ours = is_listed(cards, pci_name(function));
	kernel_param_unlock(THIS_MODULE);
	return ours;
}

static int lab_probe(struct pci_dev *function, const struct pci_device_id *id)
{
	struct parent *parent;
	int ret;

	if (!is_ours(function))
		return -ENODEV;	/* the next driver may have it */
	if (function->is_physfn)
		return 0;	/* its virtual functions are the parents */
	parent = make_parent(function);
	if (!parent)
		return -ENOMEM;
	ret = mdev_register_parent(&parent->mdev, &function->dev, &lab_mdev_driver,
				   parent->pointers, parent->nr_types);
	if (ret) {
		free_parent(parent);
		return ret;
	}
	pci_set_drvdata(function, parent);
	return 0;
}

static void lab_remove(struct pci_dev *function)
{
	struct parent *parent = pci_get_drvdata(function);

	if (function->is_physfn)
		pci_disable_sriov(function);
	if (!parent)
		return;
	mdev_unregister_parent(&parent->mdev);
	free_parent(parent);
}

/* Asked about every function that is probed after it was loaded. No device loads it. */
static const struct pci_device_id any_id[] = { { PCI_DEVICE(PCI_ANY_ID, PCI_ANY_ID) }, {} };

static struct pci_driver lab_pci_driver = {
	.id_table = any_id,
	.probe = lab_probe,
	.remove = lab_remove,
	.sriov_configure = pci_sriov_configure_simple,
};

static int check_parameters(void)
{
	if (strcmp(types, "vgpu") && strcmp(types, "gvt")) {
		pr_err(KBUILD_MODNAME ": types must be vgpu or gvt, not %s\n", types);
		return -EINVAL;
	}
	if (is_gvt() && (aperture_mib <= HOST_APERTURE_MIB ||
			 aperture_mib > TOTAL_GRAPHICS_MIB - HOST_HIDDEN_MIB)) {
		pr_err(KBUILD_MODNAME ": aperture_mib must be from %d to %d\n",
		       HOST_APERTURE_MIB + 1, TOTAL_GRAPHICS_MIB - HOST_HIDDEN_MIB);
		return -EINVAL;
	}
	if (!is_gvt() && (framebuffer_mib < 1024 || framebuffer_mib > 1024 * 1024)) {
		pr_err(KBUILD_MODNAME ": framebuffer_mib must be from 1024 to 1048576\n");
		return -EINVAL;
	}
	return 0;
}

static int __init lab_init(void)
{
	int ret = check_parameters();

	if (ret)
		return ret;
	lab_pci_driver.name = driver_name;
	lab_mdev_driver.driver.name = driver_name;
	ret = mdev_register_driver(&lab_mdev_driver);
	if (ret)
		return ret;
	ret = pci_register_driver(&lab_pci_driver);
	if (ret)
		mdev_unregister_driver(&lab_mdev_driver);
	return ret;
}

static void __exit lab_exit(void)
{
	pci_unregister_driver(&lab_pci_driver);
	mdev_unregister_driver(&lab_mdev_driver);
}

module_init(lab_init);
module_exit(lab_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A card for Tessera's lab that can be cut into mediated devices");
